/** Everything that takes messages out of the streams. Repeating any of it is harmless. */
import type { QueueLog } from '../log.ts'
import type { Done } from '../store.ts'
import { api, CODE } from './api.ts'
import { readDirect } from './direct.ts'
import type { Links } from './links.ts'
import { bodyChunks, bodyStream, checkBodyId, logStream, logSubject, mailStream } from './subjects.ts'

const MS = 2000
/** A filtered purge walks over what it keeps. */
const WALK_MS = 10_000
/** Old leases are of interest for a while only; the last one must stay. */
const LEASES_KEPT = 256
const DONE: Done = { is: 'done' }
const UNANSWERED: Done = { is: 'unanswered' }

export class Removal {
  readonly #links: Links
  readonly #log: QueueLog

  constructor(links: Links, log: QueueLog) {
    this.#links = links
    this.#log = log
  }

  purgeMail(partition: number, before: number): Promise<Done> {
    // Without a sequence the servers would purge everything.
    if (before <= 1) return Promise.resolve(DONE)
    return this.#purge(mailStream(partition), { seq: before }, MS)
  }

  purgeBody(partition: number, body: string): Promise<Done> {
    return this.#purge(bodyStream(partition), { filter: bodyChunks(partition, checkBodyId(body)) }, WALK_MS)
  }

  async deleteLater(partition: number, seq: number): Promise<Done> {
    const stream = logStream(partition)
    const answer = await api(this.#links, `STREAM.MSG.DELETE.${stream}`, { seq, no_erase: true }, MS)
    if (answer.is === 'ok') return DONE
    if (answer.is === 'unanswered') return UNANSWERED
    const gone = answer.code === CODE.sequenceNotFound || answer.code === CODE.noMessage
    if (gone || (answer.code === CODE.deleteFailed && /no message found|not found/.test(answer.text))) return DONE
    return this.#failed(stream, answer)
  }

  /** `.later` entries stay whatever their age: they are mail. */
  async trimLog(partition: number, before: number, olderThan: number): Promise<Done> {
    const stream = logStream(partition)
    const leases = await this.#purge(stream, { filter: logSubject(partition, 'lease'), keep: LEASES_KEPT }, WALK_MS)
    const young = await readDirect(this.#links, stream, { startTime: Math.max(0, olderThan), batch: 1 }, MS)
    if (young.is !== 'messages' || young.messages[0] === undefined) return UNANSWERED
    const bound = Math.min(before, young.messages[0].seq)
    if (bound <= 1) return leases
    for (const kind of ['outcome', 'accepted', 'late'] as const) {
      const done = await this.#purge(stream, { filter: logSubject(partition, kind), seq: bound }, WALK_MS)
      if (done.is !== 'done') return done
    }
    return leases
  }

  async #purge(stream: string, request: object, ms: number): Promise<Done> {
    const answer = await api(this.#links, `STREAM.PURGE.${stream}`, request, ms)
    if (answer.is === 'ok') return DONE
    return answer.is === 'error' ? this.#failed(stream, answer) : UNANSWERED
  }

  #failed(stream: string, error: { code: number; text: string }): Done {
    if (error.code !== CODE.notAvailable) this.#log.warn({ stream, ...error }, 'removal refused')
    return UNANSWERED
  }
}
