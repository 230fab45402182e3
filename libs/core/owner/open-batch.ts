/** A batch whose records are in memory, with the state of each of its tasks. */
import type { BatchStream } from '../entry.ts'
import type { MailRecord } from '../record.ts'

/** waiting -> given -> begun -> pending (outcome not yet stored) -> closed; a release or a refusal goes back to waiting. */
export const TASK = { waiting: 0, given: 1, begun: 2, pending: 3, closed: 4 } as const

export class OpenBatch {
  readonly stream: BatchStream
  readonly seq: number
  /** Server time of its storing, ms. */
  readonly storedAt: number
  /** Nats-Msg-Id of the MAIL batch; '' for a later batch. */
  readonly id: string
  readonly records: readonly MailRecord[]
  readonly bytes: number
  /** Number of the first task of each record. */
  readonly #base: Uint32Array
  readonly #state: Uint8Array
  /** Records of which some closing tells the acceptance. */
  readonly #acceptance = new Set<number>()
  /** Tasks not closed. */
  open: number
  /** Lowest and first-seen entry that closes one of its tasks; 0: none. */
  lowestCloser = 0
  /** Monotonic time of its first stored closing. */
  firstClosed = 0

  constructor(
    stream: BatchStream,
    batch: { seq: number; storedAt: number; id: string; records: readonly MailRecord[]; bytes: number },
  ) {
    this.stream = stream
    this.seq = batch.seq
    this.storedAt = batch.storedAt
    this.id = batch.id
    this.records = batch.records
    this.bytes = batch.bytes
    this.#base = new Uint32Array(batch.records.length)
    let tasks = 0
    for (let i = 0; i < batch.records.length; i++) {
      this.#base[i] = tasks
      tasks += batch.records[i]!.envelope.recipients.length
    }
    this.#state = new Uint8Array(tasks)
    this.open = tasks
  }

  state(record: number, position: number): number {
    return this.#state[this.#base[record]! + position]!
  }

  set(record: number, position: number, state: number): void {
    const task = this.#base[record]! + position
    if (this.#state[task] === TASK.closed) return
    this.#state[task] = state
    if (state === TASK.closed) this.open--
  }

  isAcceptanceTold(record: number): boolean {
    return this.#acceptance.has(record)
  }
  /** `told`: a closing that tells it is on its way or stored; false: it did not get there. */
  acceptanceTold(record: number, told: boolean): void {
    if (told) this.#acceptance.add(record)
    else this.#acceptance.delete(record)
  }

  /** Positions of a record in this state. */
  positions(record: number, state: number): number[] {
    const found: number[] = []
    const count = this.records[record]!.envelope.recipients.length
    for (let position = 0; position < count; position++)
      if (this.state(record, position) === state) found.push(position)
    return found
  }
}
