/**
 * All webhooks of a node. One admin node sends, the one that exports; the others hear from it every second how far it is, so
 * that whoever takes over goes on from there: what was done since the last words is sent again, and nothing is left out. A
 * node that has just become the one waits a little, because its predecessor may have more to say.
 */
import type { AdminPort } from '@posthouse/queue/admin-port'
import type { EventCursor } from '@posthouse/queue/event-feed'
import type { Log } from '@posthouse/runtime/log'
import type { Webhook, WebhookWords } from './webhook.ts'

export interface WebhooksOptions {
  readonly port: Pick<AdminPort, 'tell' | 'onWords'> & { readonly feed: Pick<AdminPort['feed'], 'ends'> }
  readonly webhooks: readonly Webhook[]
  readonly isSender: () => boolean
  readonly log: Pick<Log, 'info' | 'warn'>
  /** A monotonic clock, ms. */
  readonly now: () => number
  /** How long a node is the one before it sends, ms. */
  readonly settle: number
}

interface Words extends WebhookWords {
  readonly webhook: string
  readonly sends: boolean
}

/** While words of one that sends are so young, ms, the others need say nothing. */
const FRESH_MS = 5000

export class Webhooks {
  readonly #options: WebhooksOptions
  readonly #byName: ReadonlyMap<string, Webhook>
  readonly #stopHearing: () => void
  /** When this node became the one; undefined: it is not. */
  #senderSince: number | undefined
  readonly #heardSender = new Map<string, number>()
  #ending: Promise<unknown> = Promise.resolve()
  #closed = false

  constructor(options: WebhooksOptions) {
    this.#options = options
    this.#byName = new Map(options.webhooks.map((webhook) => [webhook.name, webhook]))
    this.#stopHearing = options.port.onWords((_from, words) => this.#hear(words))
  }

  /** Begins or ceases to send, and says how far it is; call it every second. Never rejects. */
  async look(): Promise<void> {
    if (this.#closed) return
    const { webhooks, isSender, now, settle, log } = this.#options
    if (!isSender()) {
      if (this.#senderSince !== undefined) this.#cease()
    } else {
      this.#senderSince ??= now()
      const silent = webhooks.filter(({ sends }) => !sends)
      if (silent.length > 0 && now() - this.#senderSince >= settle) {
        const start = await this.#start(silent)
        if (start !== undefined && !this.#closed && isSender())
          for (const webhook of silent) {
            webhook.begin(start)
            // What an earlier one said says nothing when this one ceases.
            this.#heardSender.delete(webhook.name)
            log.info({ webhook: webhook.name }, 'sending events to a webhook')
          }
      }
    }
    this.#tell()
  }

  poke(): void {
    for (const webhook of this.#options.webhooks) webhook.poke()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#cease()
    await this.#ending
    // The successor should hear of the last ones too.
    this.#tell()
    this.#stopHearing()
  }

  #cease(): void {
    this.#senderSince = undefined
    const ended = this.#options.webhooks.filter(({ sends }) => sends).map((webhook) => webhook.end())
    this.#ending = Promise.all([this.#ending, ...ended])
  }

  /** A webhook that nobody knows of begins with what comes from now on. Undefined: nobody can say where that is. */
  async #start(webhooks: readonly Webhook[]): Promise<EventCursor | undefined> {
    if (webhooks.every(({ words }) => words !== undefined)) return []
    try {
      return await this.#options.port.feed.ends()
    } catch (error) {
      this.#options.log.warn({ err: error }, 'a new webhook cannot begin yet')
      return undefined
    }
  }

  #tell(): void {
    const now = this.#options.now()
    for (const webhook of this.#options.webhooks) {
      const { name, sends, words } = webhook
      // One that is ending knows more in a moment.
      if (words === undefined || webhook.isEnding) continue
      if (!sends && now - (this.#heardSender.get(name) ?? -Infinity) < FRESH_MS) continue
      const said: Words = { webhook: name, sends, ...words }
      this.#options.port.tell(JSON.stringify(said))
    }
  }

  #hear(text: string): void {
    const words = parse(text)
    const webhook = words === undefined ? undefined : this.#byName.get(words.webhook)
    if (words === undefined || webhook === undefined || webhook.sends) return
    if (words.sends) this.#heardSender.set(webhook.name, this.#options.now())
    const own = webhook.words
    if (words.sends || own === undefined || isFurther(words, own)) webhook.adopt(words)
  }
}

function isFurther(one: WebhookWords, other: WebhookWords): boolean {
  const more = sum(one.cursor) - sum(other.cursor)
  return more > 0 || (more === 0 && one.open.length < other.open.length)
}

function sum(cursor: EventCursor): number {
  return cursor.reduce((total, sequence) => total + sequence, 0)
}

/** Of another version the words may be others. */
function parse(text: string): Words | undefined {
  try {
    const words = JSON.parse(text) as Partial<Words> | null
    const { webhook, sends, cursor, open } = words ?? {}
    if (typeof webhook !== 'string' || typeof sends !== 'boolean') return undefined
    if (!Array.isArray(cursor) || !cursor.every((sequence) => Number.isSafeInteger(sequence))) return undefined
    if (!Array.isArray(open) || !open.every((name) => Array.isArray(name) && name.length === 2)) return undefined
    return { webhook, sends, cursor, open }
  } catch {
    return undefined
  }
}
