/**
 * Two connections, to different servers where there are several. A request goes out on the one that answered last; one that
 * stayed without an answer, or met a server that sees no stream leader, makes the next request use the other.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { errors, type Msg, type MsgHdrs, type ServerInfo } from 'nats'
import type { QueueLog } from '../log.ts'
import { Link } from './link.ts'
import type { LinkOptions } from './link-options.ts'
import type { NatsTls } from './nats-tls.ts'
import { inboxPrefix, type QueueUser } from './permissions.ts'

const SPREAD_EVERY_MS = 10_000
const SECOND_EVERY_MS = 500

export interface LinksOptions {
  /** host:port of every server. */
  readonly servers: readonly string[]
  readonly user?: string
  readonly password?: string
  readonly tls?: NatsTls
  /** Undefined: a user that may hear answers anywhere. */
  readonly as?: QueueUser
  /** Shown by the servers' monitoring. */
  readonly name: string
  readonly log: QueueLog
}

/** What became of one request. `unsent` is surely unknown to every server. */
export type Reply =
  | { readonly is: 'reply'; readonly message: Msg }
  | { readonly is: 'no-responders' }
  | { readonly is: 'unsent'; readonly text: string }
  /** No server would take it (a payload over the servers' limit). */
  | { readonly is: 'invalid'; readonly text: string }
  /** The user may not ask this, in the server's words. Only said of the API. */
  | { readonly is: 'forbidden'; readonly text: string }
  | { readonly is: 'unanswered' }

const UNANSWERED: Reply = { is: 'unanswered' }
const NO_RESPONDERS: Reply = { is: 'no-responders' }

interface Subscribed {
  readonly subject: string
  readonly handler: (message: Msg) => void
  readonly queue: string | undefined
  readonly ends: (() => void)[]
}

export class Links {
  readonly #links: Link[]
  readonly #log: QueueLog
  #preferred = 0
  #closed = false
  readonly #spreading: NodeJS.Timeout
  readonly #subscriptions = new Set<Subscribed>()

  private constructor(first: Link, log: QueueLog) {
    this.#links = [first]
    this.#log = log
    this.#spreading = setInterval(() => void this.#spread(), SPREAD_EVERY_MS).unref()
  }

  /** Throws an Error that names the setting if no server can be reached or the log-in is refused. */
  static async open(options: LinksOptions): Promise<Links> {
    const servers = options.servers.map((server) => server.replace(/^nats:\/\//, ''))
    const opened: { links?: Links } = {}
    const linkOptions = (other: number): LinkOptions => ({
      // Nodes that start together spread over the servers.
      servers: shuffled(servers),
      user: options.user,
      password: options.password,
      tls: options.tls,
      inboxPrefix: options.as && inboxPrefix(options.as),
      name: options.name,
      log: options.log,
      avoid: () => (opened.links === undefined ? undefined : opened.links.#links[other]?.server),
    })
    const links = new Links(await Link.open(linkOptions(1)), options.log)
    opened.links = links
    // The second comes when it can: the first is enough to work.
    void links.#openSecond(linkOptions(0))
    return links
  }

  get info(): ServerInfo | undefined {
    return this.#links[this.#preferred]?.info
  }

  /** Names of the servers that it is connected to and that talk; both may be the same. */
  get serverNames(): string[] {
    const names = this.#links.map((link) => (link.usable ? link.info?.server_name : undefined))
    return [...new Set(names)].filter((name) => name !== undefined)
  }

  /** Undefined while some server can be asked. */
  disconnected(): string | undefined {
    if (this.#links.some((link) => link.usable)) return undefined
    return this.#links.some((link) => link.connected) ? 'the NATS servers are silent' : 'no NATS server is connected'
  }

  async request(
    subject: string,
    payload: Uint8Array | string,
    headers: MsgHdrs | undefined,
    ms: number,
  ): Promise<Reply> {
    return this.converse(subject, payload, headers, ms, () => true)
  }

  /**
   * One request with several answers: `last` gets each and says whether it was the last. Silence of `ms` between
   * answers ends it as unanswered. Resolves with the last answer.
   */
  converse(
    subject: string,
    payload: Uint8Array | string,
    headers: MsgHdrs | undefined,
    ms: number,
    last: (message: Msg) => boolean,
  ): Promise<Reply> {
    const at = this.#pick()
    const link = this.#links[at]
    if (at < 0 || link === undefined) return Promise.resolve({ is: 'unsent', text: 'no NATS server is connected' })
    return new Promise<Reply>((resolve) => {
      let end = () => {}
      const finish = (reply: Reply) => {
        clearTimeout(timer)
        end()
        if (reply.is === 'reply') this.#preferred = at
        else if (this.#preferred === at) this.#preferOther(at)
        resolve(reply)
      }
      const timer = setTimeout(() => finish(UNANSWERED), ms)
      try {
        end = link.send(subject, payload, headers, (message) => {
          if ('is' in message) finish(message.is === 'lost' ? UNANSWERED : message)
          else if (message.data.length === 0 && message.headers?.code === 503) finish(NO_RESPONDERS)
          else if (last(message)) finish({ is: 'reply', message })
          else timer.refresh()
        })
      } catch (error) {
        clearTimeout(timer)
        const text = error instanceof Error ? error.message : String(error)
        resolve({ is: error instanceof errors.InvalidArgumentError ? 'invalid' : 'unsent', text })
      }
    })
  }

  /** Fire and forget. */
  publish(subject: string, payload: Uint8Array | string): void {
    this.#links[this.#pick()]?.publish(subject, payload)
  }

  /**
   * Subscribes over both connections: a message may be seen twice, and is missed only if both were down. `queue`: of all that
   * subscribe under this name, over whichever connection, one gets each message.
   */
  subscribe(subject: string, handler: (message: Msg) => void, queue?: string): () => void {
    const ends = this.#links.map((link) => link.subscribe(subject, handler, queue))
    const subscription = { subject, handler, queue, ends }
    this.#subscriptions.add(subscription)
    return () => {
      this.#subscriptions.delete(subscription)
      for (const end of subscription.ends) end()
    }
  }

  /** A connection that works now, for a conversation of its own. */
  current(): Link | undefined {
    return this.#links[this.#pick()]
  }

  /** The caller got no answer over this connection. */
  distrust(link: Link): void {
    const at = this.#links.indexOf(link)
    if (at === this.#preferred) this.#preferOther(at)
  }

  async close(): Promise<void> {
    this.#closed = true
    clearInterval(this.#spreading)
    await Promise.all(this.#links.map((link) => link.close()))
  }

  async #openSecond(options: LinkOptions): Promise<void> {
    while (!this.#closed) {
      let second: Link
      try {
        second = await Link.open(options)
      } catch {
        await sleep(SECOND_EVERY_MS, undefined, { ref: false })
        continue
      }
      if (this.#closed) await second.close()
      else this.#add(second)
      return
    }
  }

  #add(second: Link): void {
    this.#links.push(second)
    for (const subscription of this.#subscriptions) {
      const { subject, handler, queue } = subscription
      subscription.ends.push(second.subscribe(subject, handler, queue))
    }
  }

  #pick(): number {
    const other = this.#preferred === 0 ? 1 : 0
    for (const at of [this.#preferred, other]) if (this.#links[at]?.usable) return at
    for (const at of [this.#preferred, other]) if (this.#links[at]?.connected) return at
    return -1
  }

  #preferOther(at: number): void {
    const other = at === 0 ? 1 : 0
    if (this.#links[other]?.usable) this.#preferred = other
  }

  /** After failures both may have ended up at one server; when others are back, the idle one moves. */
  async #spread(): Promise<void> {
    const [first, second] = this.#links
    if (first === undefined || second === undefined || !first.usable || !second.usable) return
    const idle = this.#preferred === 0 ? second : first
    if (first.server !== second.server || !idle.idle || first.info?.cluster === undefined) return
    this.#log.debug({ server: first.server }, 'both connections are at one NATS server: one dials again')
    await idle.redial()
  }
}

function shuffled<T>(list: readonly T[]): T[] {
  return list
    .map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item)
}
