/** Reads MAIL in order by direct gets, and single entries of the log. */
import { MSG_ID } from './headers.ts'
import { decodeLease } from '@posthouse/core/lease-codec'
import type { LeaseRead } from '@posthouse/core/lease'
import type { QueueLog } from '../log.ts'
import type { MailRead, StoredBatch, Store } from '../store.ts'
import { api, CODE, streamInfo, type ApiMessage } from './api.ts'
import { readDirect, type DirectMessage } from './direct.ts'
import type { Links } from './links.ts'
import { logStream, logSubject, mailStream } from './subjects.ts'

const MS = 700
const BATCH = 256

export class Reader {
  readonly #links: Links
  readonly #log: QueueLog

  constructor(links: Links, log: QueueLog) {
    this.#links = links
    this.#log = log
  }

  async readMail(partition: number, from: number, maxBytes: number): Promise<MailRead> {
    const seq = Math.max(1, from)
    const stream = mailStream(partition)
    const answer = await readDirect(this.#links, stream, { seq, batch: BATCH, maxBytes }, MS)
    if (answer.is !== 'messages') return answer
    const batches: StoredBatch[] = []
    let expected = answer.messages[0]?.seq ?? seq
    for (const message of answer.messages) {
      if (message.seq !== expected++) break // a hole is not to be believed; what follows is read again
      batches.push(storedBatch(message))
    }
    const first = batches[0]
    if (first !== undefined && first.seq > seq && !(await this.#beginsAt(stream, first.seq)))
      return { is: 'unanswered' }
    return { is: 'batches', batches }
  }

  async readLater(partition: number, seq: number): ReturnType<Store['readLater']> {
    const answer = await readDirect(this.#links, logStream(partition), { seq, batch: 1 }, MS)
    const [message] = answer.is === 'messages' ? answer.messages : []
    // Nothing at or above: the replica lags, as a lease always follows sooner or later.
    if (message === undefined) return { is: 'unanswered' }
    return message.seq === seq ? { is: 'batch', batch: storedBatch(message) } : { is: 'none' }
  }

  async readLease(partition: number): Promise<LeaseRead> {
    const stream = logStream(partition)
    const body = { last_by_subj: logSubject(partition, 'lease') }
    const answer = await api<ApiMessage>(this.#links, `STREAM.MSG.GET.${stream}`, body, MS)
    if (answer.is === 'error' && answer.code === CODE.noMessage) return { is: 'none' }
    if (answer.is !== 'ok') return { is: 'unanswered' }
    const { seq, data } = answer.value.message
    try {
      return { is: 'lease', seq, lease: decodeLease(Buffer.from(data ?? '', 'base64')) }
    } catch (error) {
      this.#log.error({ partition, seq, error: String(error) }, 'the lease of a partition cannot be read')
      return { is: 'unanswered' }
    }
  }

  /** A replica that begins later than asked: has all below been purged, or does it lack something? */
  async #beginsAt(stream: string, seq: number): Promise<boolean> {
    const info = await streamInfo(this.#links, stream, MS)
    return info.is === 'ok' && info.value.state.first_seq >= seq
  }
}

function storedBatch(message: DirectMessage): StoredBatch {
  return { seq: message.seq, storedAt: message.storedAt, id: message.header(MSG_ID), payload: message.payload }
}
