/**
 * One connection to one server of the cluster. Requests are answered or they are not: nothing here rejects for a lost
 * server. It knows whether its server talks at the moment, by pings of its own, well before the client gives the
 * connection up and dials another server.
 */
import {
  connect,
  createInbox,
  type ConnectionOptions,
  type Msg,
  type MsgHdrs,
  type NatsConnection,
  type Server,
  type ServerInfo,
} from 'nats'
import type { QueueLog } from '../log.ts'

const PING_EVERY_MS = 250
/** A server that has not answered a ping for so long is taken for silent, and the other connection is used. */
const SILENT_AFTER_MS = 350
const NONE = new Uint8Array(0)

export interface LinkOptions {
  readonly servers: readonly string[]
  readonly user: string | undefined
  readonly password: string | undefined
  readonly name: string
  readonly log: QueueLog
  /** Where the other connection is: this one goes elsewhere if it can. */
  readonly avoid: () => string | undefined
}

/** Undefined: the connection was lost. */
type Handler = (message: Msg | undefined) => void

export class Link {
  readonly #nc: NatsConnection
  readonly #log: QueueLog
  readonly #prefix: string
  readonly #waiting = new Map<string, Handler>()
  #next = 0
  #connected = true
  #silent = false
  #pinging = false
  readonly #pings: NodeJS.Timeout

  private constructor(nc: NatsConnection, log: QueueLog) {
    this.#nc = nc
    this.#log = log
    const inbox = createInbox()
    this.#prefix = `${inbox}.`
    nc.subscribe(`${inbox}.*`, { callback: (_, message) => this.#answered(message) })
    void this.#watch()
    this.#pings = setInterval(() => void this.#ping(), PING_EVERY_MS).unref()
  }

  static async open(options: LinkOptions): Promise<Link> {
    return new Link(await connect(connectionOptions(options)), options.log)
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
    return this.connected && !this.#silent
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
    this.#waiting.set(token, handler)
    return () => this.#waiting.delete(token)
  }

  publish(subject: string, payload: Uint8Array | string = NONE): void {
    if (this.connected) this.#nc.publish(subject, payload)
  }

  /** A request whose answers go to a subscription of the caller's. */
  ask(subject: string, payload: string, reply: string): void {
    if (this.connected) this.#nc.publish(subject, payload, { reply })
  }

  subscribe(subject: string, handler: (message: Msg) => void): () => void {
    const subscription = this.#nc.subscribe(subject, {
      callback: (error, message) => {
        if (error === null) handler(message)
      },
    })
    return () => subscription.unsubscribe()
  }

  /** Dials again; where to is decided by `avoid`. */
  async redial(): Promise<void> {
    await this.#nc.reconnect()
  }

  async close(): Promise<void> {
    clearInterval(this.#pings)
    this.#connected = false
    await this.#nc.close()
    this.#lost()
  }

  #answered(message: Msg): void {
    this.#silent = false
    this.#waiting.get(message.subject.slice(this.#prefix.length))?.(message)
  }

  #lost(): void {
    const handlers = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const handler of handlers) handler(undefined)
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
      } else if (status.type === 'reconnect') {
        this.#connected = true
        this.#silent = false
        this.#log.info({ server: status.server }, 'connected to NATS server')
      } else if (status.type === 'error') {
        this.#log.warn({ error: status.error.message }, 'NATS server reports an error')
      }
    }
  }
}

/** The server that was tried or lost longest ago, but not the one that the other connection is at. */
function serverChoice() {
  const triedAt = new Map<string, number>()
  let last: string | undefined
  return (servers: readonly Server[], avoid: string | undefined): Server | null => {
    const now = performance.now()
    if (last !== undefined) triedAt.set(last, now)
    let best: Server | null = null
    for (const server of servers) {
      const better = best === null || (triedAt.get(server.listen) ?? 0) < (triedAt.get(best.listen) ?? 0)
      if (better && (server.listen !== avoid || servers.length === 1)) best = server
    }
    last = best?.listen
    return best
  }
}

function connectionOptions(options: LinkOptions): ConnectionOptions {
  const choose = serverChoice()
  return {
    servers: [...options.servers],
    name: options.name,
    ...(options.user === undefined ? {} : { user: options.user }),
    ...(options.password === undefined ? {} : { pass: options.password }),
    // Dial another server after 1 to 1.5 s of silence, without a pause for the first try.
    pingInterval: 500,
    maxPingOut: 2,
    timeout: 1500,
    reconnect: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 150,
    reconnectJitter: 100,
    waitOnFirstConnect: false,
    // Only the servers of the settings: what a server tells about itself may not be reachable from here.
    ignoreClusterUpdates: true,
    ignoreAuthErrorAbort: true,
    noAsyncTraces: true,
    reconnectToServer: (servers) => choose(servers, options.avoid()),
  }
}
