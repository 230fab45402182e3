/** A delivery as the engine sees it: one record with the positions that were given, bound to its owner's machine. */
import type { OpenBatch } from '@posthouse/core/owner/open-batch'
import type { Envelope } from '@posthouse/core/record'
import type { Outcome } from '@posthouse/core/outcome'
import type { Delivery } from './port.ts'
import type { PartitionShell } from './partition-shell.ts'

export class GivenDelivery implements Delivery {
  readonly envelope: Envelope
  readonly recipients: readonly number[]
  readonly destination?: string
  readonly suspect: boolean
  readonly #shell: PartitionShell
  readonly #batch: OpenBatch
  readonly #record: number

  constructor(
    shell: PartitionShell,
    given: { batch: OpenBatch; record: number; positions: readonly number[]; suspect: boolean },
    destination: string | undefined,
  ) {
    this.#shell = shell
    this.#batch = given.batch
    this.#record = given.record
    this.envelope = given.batch.records[given.record]!.envelope
    this.recipients = given.positions
    this.suspect = given.suspect
    if (destination !== undefined) this.destination = destination
  }

  get partition(): number {
    return this.#shell.partition
  }

  get content(): Uint8Array | undefined {
    return this.envelope.body === undefined ? this.#batch.records[this.#record]!.content : undefined
  }

  age(): number {
    return this.#shell.age(this.#batch, this.#record)
  }

  body(): AsyncIterable<Uint8Array> {
    const { body } = this.envelope
    if (body === undefined) throw new Error(`${this.envelope.id} has no body in the body stream`)
    return this.#shell.readBody(body)
  }

  mayFinish(): boolean {
    return this.#shell.mayFinish(this.#batch)
  }

  begin(): boolean {
    return this.#shell.begin(this.#batch, this.#record, this.recipients)
  }

  close(positions: readonly number[], outcome: Outcome): void {
    this.#shell.closeTasks(this.#batch, this.#record, positions, outcome)
  }

  lostAfterDot(positions: readonly number[]): void {
    this.#shell.lostAfterDot(this.envelope, positions)
  }
}
