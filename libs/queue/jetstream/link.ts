/**
 * One connection to one server of the cluster. Requests are answered or they are not: nothing here rejects for a lost
 * server. It knows whether its server talks at the moment, by pings of its own, well before the client gives the
 * connection up and dials another server.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import {
  connect,
  createInbox,
  errors,
  type Msg,
  type MsgHdrs,
  type NatsConnection,
  type ServerInfo,
  type Subscription,
} from 'nats'
import type { QueueLog } from '../log.ts'
import { connectError, forbiddenError } from './connect-error.ts'
import { connectionOptions, type LinkOptions } from './link-options.ts'
import { checkTlsFiles } from './nats-tls.ts'
import { handshakeAlert } from './tls-probe.ts'

const PING_EVERY_MS = 250
/** A server that has not answered a ping for so long is taken for silent, and the other connection is used. */
const SILENT_AFTER_MS = 350
/** A server that speaks at all has by then said whether answers can be heard. */
const REFUSAL_MS = 2000
/** Without a connection for so long, it is asked and said why; and again. */
const SAY_WHY_AFTER_MS = 3000
const SAY_AGAIN_MS = 60_000
const NONE = new Uint8Array(0)

/** Instead of an answer: the connection was lost, or the user may not publish to a subject of the API, in the server's words. */
export type NoAnswer = { readonly is: 'lost' } | { readonly is: 'forbidden'; readonly text: string }
type Handler = (answer: Msg | NoAnswer) => void
type Violation = InstanceType<typeof errors.PermissionViolationError>

interface Listening {
  readonly subject: string
  readonly options: { readonly callback: (error: Error | null, message: Msg) => void; readonly queue?: string }
  subscription: Subscription
}

const API = '$JS.API.'
const LOST: NoAnswer = { is: 'lost' }

export class Link {
  readonly #nc: NatsConnection
  readonly #options: LinkOptions
  readonly #log: QueueLog
  readonly #prefix: string
  readonly #waiting = new Map<string, { readonly subject: string; readonly handler: Handler }>()
  readonly #listening = new Set<Listening>()
  readonly #saidAt = new Map<string, number>()
  /** The server does not let it hear its answers. */
  #deaf: Error | undefined
  #sayWhy: NodeJS.Timeout | undefined
  #next = 0
  #connected = true
  #silent = false
  #pinging = false
  readonly #pings: NodeJS.Timeout

  private constructor(nc: NatsConnection, options: LinkOptions) {
    this.#nc = nc
    this.#options = options
    this.#log = options.log
    const inbox = this.newInbox()
    this.#prefix = `${inbox}.`
    this.#listen(`${inbox}.*`, (error, message) => {
      if (error === null) this.#answered(message)
      else this.#deaf = error
    })
    void this.#watch()
    this.#pings = setInterval(() => void this.#ping(), PING_EVERY_MS).unref()
  }

  /** Throws an Error of one line that names the setting. */
  static async open(options: LinkOptions): Promise<Link> {
    try {
      if (options.tls !== undefined) await checkTlsFiles(options.tls)
      const link = new Link(await connect(connectionOptions(options)), options)
      // A refusal of the inbox comes before the answer to a ping. A server that is silent is noticed later.
      await Promise.race([link.#nc.flush().catch(() => {}), sleep(REFUSAL_MS, undefined, { ref: false })])
      if (link.#deaf === undefined) return link
      await link.close()
      throw forbiddenError(link.#deaf.message)
    } catch (error) {
      throw connectError(await reasonOf(error, options), options)
    }
  }

  /** `host:port` of the server it is connected to. */
  get server(): string | undefined {
    return this.#connected ? this.#nc.getServer() : undefined
  }
  get info(): ServerInfo | undefined {
    return this.#nc.info
  }
  get connected(): boolean {
    return this.#connected && !this.#nc.isClosed()
  }
  /** Connected, and the server has talked lately. */
  get usable(): boolean {
    return this.connected && !this.#silent && this.#deaf === undefined
  }
  get idle(): boolean {
    return this.#waiting.size === 0
  }

  /**
   * Sends a message whose answers go to the handler until the returned function is called. Throws only for arguments that
   * the client refuses (a payload that is too large).
   */
  send(subject: string, payload: Uint8Array | string, headers: MsgHdrs | undefined, handler: Handler): () => void {
    const token = (this.#next++).toString(36)
    this.#nc.publish(subject, payload, {
      reply: this.#prefix + token,
      ...(headers === undefined ? {} : { headers }),
    })
    this.#waiting.set(token, { subject, handler })
    return () => this.#waiting.delete(token)
  }

  publish(subject: string, payload: Uint8Array | string = NONE): void {
    if (this.connected) this.#nc.publish(subject, payload)
  }

  /** A request whose answers go to a subscription of the caller's. */
  ask(subject: string, payload: string, reply: string): void {
    if (this.connected) this.#nc.publish(subject, payload, { reply })
  }

  /** `queue`: of all that subscribe under this name, one gets each message. */
  subscribe(subject: string, handler: (message: Msg) => void, queue?: string): () => void {
    const callback: Listening['options']['callback'] = (error, message) => {
      if (error === null) handler(message)
    }
    return this.#listen(subject, callback, queue)
  }

  /** A subject of one's own for answers. */
  newInbox(): string {
    return createInbox(this.#options.inboxPrefix)
  }

  /** Dials again; where to is decided by `avoid`. */
  async redial(): Promise<void> {
    await this.#nc.reconnect()
  }

  async close(): Promise<void> {
    clearInterval(this.#pings)
    clearTimeout(this.#sayWhy)
    this.#connected = false
    await this.#nc.close()
    this.#lost()
  }

  #answered(message: Msg): void {
    this.#silent = false
    this.#waiting.get(message.subject.slice(this.#prefix.length))?.handler(message)
  }

  #listen(subject: string, callback: Listening['options']['callback'], queue?: string): () => void {
    const options = queue === undefined ? { callback } : { callback, queue }
    const listening = { subject, options, subscription: this.#nc.subscribe(subject, options) }
    this.#listening.add(listening)
    return () => {
      this.#listening.delete(listening)
      listening.subscription.unsubscribe()
    }
  }

  /** A server that refused a subscription may take it after its configuration was changed. */
  #listenAgain(): void {
    this.#deaf = undefined
    for (const listening of this.#listening) {
      if (!listening.subscription.isClosed()) continue
      listening.subscription = this.#nc.subscribe(listening.subject, listening.options)
    }
  }

  #lost(): void {
    const waiting = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const { handler } of waiting) handler(LOST)
  }

  /**
   * A request to the API is answered by it. A publish to a stream is not, and stays in doubt: it is said of the subject, and
   * the same may have been allowed to a try before.
   */
  #violated({ operation, subject, message: text }: Violation): void {
    const now = performance.now()
    const key = `${operation} ${subject}`
    if (now - (this.#saidAt.get(key) ?? -Infinity) > SAY_AGAIN_MS) {
      this.#saidAt.set(key, now)
      this.#log.error(
        { server: this.server, operation, subject },
        'permissions violation: the NATS user of this process lacks a subject it needs',
      )
    }
    if (operation !== 'publish' || !subject.startsWith(API)) return
    for (const waiting of this.#waiting.values()) {
      if (waiting.subject === subject) waiting.handler({ is: 'forbidden', text })
    }
  }

  /** The client dials on without a word on what goes wrong: one more try, on the side, tells. */
  #whenStillLost(ms: number): void {
    this.#sayWhy = setTimeout(() => {
      void connect({ ...connectionOptions(this.#options), reconnect: false }).then(
        (nc) => nc.close(),
        async (error: unknown) => {
          const { message } = connectError(await reasonOf(error, this.#options), this.#options)
          if (!this.#connected) this.#log.warn({ error: message }, 'NATS servers cannot be reached')
        },
      )
      this.#whenStillLost(SAY_AGAIN_MS)
    }, ms).unref()
  }

  async #ping(): Promise<void> {
    if (this.#pinging || !this.connected) return
    this.#pinging = true
    // The verdict waits until what has arrived meanwhile is read: this process may have been the slow one.
    const verdict = setTimeout(() => setImmediate(() => (this.#silent = this.#pinging)), SILENT_AFTER_MS).unref()
    try {
      await this.#nc.flush()
      this.#silent = false
    } catch {
      // The connection went down under the ping; the status says so.
    }
    clearTimeout(verdict)
    this.#pinging = false
  }

  async #watch(): Promise<void> {
    for await (const status of this.#nc.status()) {
      if (status.type === 'disconnect') {
        if (this.#connected) this.#log.warn({ server: status.server }, 'connection to NATS server lost')
        this.#connected = false
        this.#lost()
        clearTimeout(this.#sayWhy)
        this.#whenStillLost(SAY_WHY_AFTER_MS)
      } else if (status.type === 'reconnect') {
        this.#connected = true
        this.#silent = false
        clearTimeout(this.#sayWhy)
        this.#listenAgain()
        this.#log.info({ server: status.server }, 'connected to NATS server')
      } else if (status.type === 'error' && status.error instanceof errors.PermissionViolationError) {
        this.#violated(status.error)
      } else if (status.type === 'error') {
        this.#log.warn({ error: status.error.message }, 'NATS server reports an error')
      }
    }
  }
}

/** Where the client can only say that it waited in vain, the server may have had a reason. */
async function reasonOf(error: unknown, { servers, tls }: LinkOptions): Promise<unknown> {
  if (tls === undefined || !(error instanceof errors.TimeoutError)) return error
  const alerts = await Promise.all(servers.map((server) => handshakeAlert(server, tls)))
  return alerts.find((alert) => alert !== undefined) ?? error
}
