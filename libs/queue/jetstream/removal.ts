/**
 * Everything that takes messages out of the streams. Repeating any of it is harmless. MAIL and BODY are purged later than they are
 * asked to be (held-removals.ts); LOG never runs empty, as it has the leases.
 */
import { randomUUID } from 'node:crypto'
import type { QueueLog } from '../log.ts'
import type { Done, Trimmed } from '../store.ts'
import { api, CODE } from './api.ts'
import { readDirect } from './direct.ts'
import { HeldBodies, HeldPurge } from './held-removals.ts'
import type { Links } from './links.ts'
import { publish } from './publish.ts'
import type { StatePoll } from './state-poll.ts'
import {
  bodyChunks,
  bodyStream,
  bodySubject,
  checkBodyId,
  logStream,
  logSubject,
  mailStream,
  markId,
} from './subjects.ts'

const MS = 2000
/** A filtered purge walks over what it keeps. */
const WALK_MS = 10_000
/** Old leases are of interest for a while only; the last one must stay. */
const LEASES_KEPT = 256
const DONE: Done = { is: 'done' }
const NOT_TRIMMED: Trimmed = { is: 'unanswered' }
const UNANSWERED: Done = { is: 'unanswered' }
/** What is held back is looked at so often. */
const TICK_MS = 1000
const EMPTY = new Uint8Array(0)
/** A shorter time of the log is not halved, but goes. */
const LEAST_HALF_MS = 120_000

interface Held {
  readonly mail: HeldPurge
  readonly bodies: HeldBodies
  readonly answers: Map<string, (done: Done) => void>
  busy: boolean
}

export class Removal {
  readonly #links: Links
  readonly #log: QueueLog
  readonly #poll: StatePoll
  readonly #holdMs: number
  readonly #held = new Map<number, Held>()
  /** Server times up to which crowded logs were trimmed. */
  readonly #cuts = new Map<number, number>()
  readonly #timer: NodeJS.Timeout

  /** `holdMs` 0: everything goes at once. */
  constructor(links: Links, log: QueueLog, poll: StatePoll, holdMs: number) {
    this.#links = links
    this.#log = log
    this.#poll = poll
    this.#holdMs = holdMs
    this.#timer = setInterval(() => this.#tick(), TICK_MS).unref()
  }

  /** Done when it is certain to be removed some day: below a stored floor nobody looks. */
  purgeMail(partition: number, before: number): Promise<Done> {
    // Without a sequence the servers would purge everything.
    if (before <= 1) return Promise.resolve(DONE)
    if (this.#holdMs === 0) return this.#purge(mailStream(partition), { seq: before }, MS)
    this.#heldOf(partition).mail.ask(before, performance.now())
    return Promise.resolve(DONE)
  }

  /** Done when it is gone, which takes minutes: until then the log must say that nobody needs it. */
  purgeBody(partition: number, body: string): Promise<Done> {
    checkBodyId(body)
    if (this.#holdMs === 0) return this.#purgeBodyNow(partition, body)
    const { bodies, answers } = this.#heldOf(partition)
    bodies.ask(body)
    return new Promise((resolve) => answers.set(body, resolve))
  }

  close(): void {
    clearInterval(this.#timer)
    for (const { answers } of this.#held.values()) for (const answer of answers.values()) answer(UNANSWERED)
  }

  #heldOf(partition: number): Held {
    let held = this.#held.get(partition)
    if (held === undefined) {
      held = {
        mail: new HeldPurge(this.#holdMs),
        bodies: new HeldBodies(this.#holdMs),
        answers: new Map(),
        busy: false,
      }
      this.#held.set(partition, held)
    }
    return held
  }

  #tick(): void {
    for (const [partition, held] of this.#held) {
      if (held.busy) continue
      held.busy = true
      void this.#removeDue(partition, held).finally(() => (held.busy = false))
    }
  }

  async #removeDue(partition: number, { mail, bodies, answers }: Held): Promise<void> {
    const { last, mailCrowded, bodyCrowded } = this.#poll.room(partition)
    const before = mail.due(performance.now(), last, mailCrowded)
    if (before > 1) {
      const done = await this.#purge(mailStream(partition), { seq: before }, MS)
      if (done.is !== 'done') mail.again(before)
    }
    if (bodies.wantsMark(performance.now())) await this.#mark(partition, bodies)
    for (const body of bodies.due(performance.now(), bodyCrowded)) {
      const done = await this.#purgeBodyNow(partition, body)
      answers.get(body)?.(done)
      answers.delete(body)
    }
  }

  async #mark(partition: number, bodies: HeldBodies): Promise<void> {
    const waiting = bodies.takeWaiting()
    const id = markId(randomUUID())
    const answer = await publish(this.#links, bodySubject(partition, id, 0), { id }, EMPTY, MS)
    if (answer.is === 'stored') bodies.marked(id, waiting, performance.now())
    else for (const body of waiting) bodies.ask(body)
  }

  #purgeBodyNow(partition: number, body: string): Promise<Done> {
    return this.#purge(bodyStream(partition), { filter: bodyChunks(partition, body) }, WALK_MS)
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
  async trimLog(partition: number, before: number, age: number, latest = age): Promise<Trimmed> {
    const stream = logStream(partition)
    const olderThan = this.#poll.room(partition).logCrowded ? await this.#halfWay(partition, age, latest) : age
    const leases = await this.#purge(stream, { filter: logSubject(partition, 'lease'), keep: LEASES_KEPT }, WALK_MS)
    const young = await readDirect(this.#links, stream, { startTime: Math.max(0, olderThan), batch: 1 }, MS)
    if (leases.is === 'unanswered' || young.is !== 'messages' || young.messages[0] === undefined) return NOT_TRIMMED
    const bound = Math.min(before, young.messages[0].seq)
    if (bound <= 1) return { is: 'trimmed', below: 1 }
    for (const kind of ['outcome', 'accepted', 'late'] as const) {
      const done = await this.#purge(stream, { filter: logSubject(partition, kind), seq: bound }, WALK_MS)
      // Some of it may be gone.
      if (done.is !== 'done') break
    }
    return { is: 'trimmed', below: bound }
  }

  /**
   * Of the time that the log goes back, the older half, up to `latest`: repeated, it makes room without a look at sizes. What lies
   * before the last cut stays whatever is cut (mail that waits), so the next half begins there.
   */
  async #halfWay(partition: number, age: number, latest: number): Promise<number> {
    const from = Math.max(age, this.#cuts.get(partition) ?? 0)
    const first = await readDirect(this.#links, logStream(partition), { startTime: from, batch: 1 }, MS)
    const at = first.is === 'messages' ? first.messages[0]?.storedAt : undefined
    if (at === undefined || at >= latest) return Math.max(age, Math.min(from, latest))
    const cut = latest - at < LEAST_HALF_MS ? latest : Math.ceil((at + latest) / 2)
    this.#cuts.set(partition, cut)
    return cut
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
