/**
 * The client's side of SOCKS 5 (RFC 1928; user and password: RFC 1929) up to the point where the connection belongs to
 * whoever asked for it. Bytes in, bytes and verdicts out. A failure says whose it is: that of the host that was to be
 * reached, that of the proxy, or that of the two together (the proxy works and will not open this connection).
 */
import { canonicalAddress } from './network.ts'

export interface SocksTarget {
  /** An IPv4 or IPv6 address. */
  readonly address: string
  readonly port: number
}
export interface SocksLogin {
  /** 1 to 255 bytes each. */
  readonly user: string
  readonly password: string
}

export type SocksStep =
  | { readonly is: 'partial' }
  | { readonly is: 'send'; readonly bytes: Buffer }
  /** The connection is there; `rest` is the first the host said. */
  | { readonly is: 'open'; readonly rest: Buffer }
  | { readonly is: 'failed'; readonly whose: SocksFault; readonly why: string }

/**
 * 'host': it cannot be reached, as the proxy says. 'proxy': nothing can be reached through it. 'this connection': the
 * proxy will not or cannot open it, and says nothing of the host.
 */
export type SocksFault = 'host' | 'proxy' | 'this connection'

const VERSION = 5
const LOGIN_VERSION = 1
const NO_LOGIN = 0
const LOGIN = 2
const NOTHING_ACCEPTABLE = 0xff
const CONNECT = 1
const IPV4 = 1
const NAME = 3
const IPV6 = 4
export const SOCKS_LONGEST = 255

const replies: Readonly<Record<number, readonly [whose: SocksFault, why: string]>> = {
  1: ['this connection', 'general failure'],
  2: ['this connection', 'not allowed by its rules'],
  3: ['host', 'network unreachable'],
  4: ['host', 'host unreachable'],
  5: ['host', 'connection refused'],
  6: ['host', 'TTL expired'],
  7: ['proxy', 'it opens no connections'],
  8: ['this connection', 'this kind of address is not supported'],
}
const partial: SocksStep = { is: 'partial' }

/**
 * One handshake: send `greeting()`, give each chunk that comes to `take()`, and do what it says.
 *
 *   method -> (login ->) reply -> over
 */
export class SocksHandshake {
  readonly #request: Buffer
  readonly #login: SocksLogin | undefined
  #input: Buffer = Buffer.alloc(0)
  #awaits: 'method' | 'login' | 'reply' = 'method'

  /** Throws when the target is no address. */
  constructor({ address, port }: SocksTarget, login?: SocksLogin) {
    this.#request = Buffer.concat([Buffer.of(VERSION, CONNECT, 0), addressBytes(address), twoBytes(port)])
    this.#login = login
  }

  /** The proxy has agreed to serve us and been asked for the connection. */
  get hasAsked(): boolean {
    return this.#awaits === 'reply'
  }

  greeting(): Buffer {
    const methods = this.#login === undefined ? [NO_LOGIN] : [NO_LOGIN, LOGIN]
    return Buffer.of(VERSION, methods.length, ...methods)
  }

  take(chunk: Buffer): SocksStep {
    this.#input = this.#input.length === 0 ? chunk : Buffer.concat([this.#input, chunk])
    if (this.#awaits === 'reply') return this.#reply()
    const [version, answer] = this.#input
    if (version !== (this.#awaits === 'method' ? VERSION : LOGIN_VERSION)) return broken('it does not speak SOCKS 5')
    if (answer === undefined) return partial
    // It has been asked nothing yet that it could answer with more.
    if (this.#input.length > 2) return broken('it says more than it was asked')
    this.#input = Buffer.alloc(0)
    return this.#awaits === 'method' ? this.#method(answer) : this.#loginAnswer(answer)
  }

  #method(method: number): SocksStep {
    if (method === NO_LOGIN) return this.#ask()
    if (method === LOGIN && this.#login !== undefined) {
      this.#awaits = 'login'
      return { is: 'send', bytes: loginBytes(this.#login) }
    }
    if (method !== NOTHING_ACCEPTABLE) return broken(`it wants a method that was not offered (${method})`)
    return broken(this.#login === undefined ? 'it wants a log-in' : 'it takes no log-in with user and password')
  }

  #loginAnswer(status: number): SocksStep {
    return status === 0 ? this.#ask() : broken('it refuses user and password')
  }

  #ask(): SocksStep {
    this.#awaits = 'reply'
    return { is: 'send', bytes: this.#request }
  }

  #reply(): SocksStep {
    const [version, code, , kind, nameLength] = this.#input
    if (version !== VERSION) return broken('it does not speak SOCKS 5')
    if (code === undefined) return partial
    // What follows a refusal does not matter, and not every proxy sends it.
    if (code !== 0) {
      const [whose, why] = replies[code] ?? ['this connection', `unknown reply ${code}`]
      return { is: 'failed', whose, why }
    }
    if (kind === undefined || nameLength === undefined) return partial
    const bound = kind === IPV4 ? 4 : kind === IPV6 ? 16 : kind === NAME ? 1 + nameLength : undefined
    if (bound === undefined) return broken(`unknown kind of address ${kind}`)
    const length = 4 + bound + 2
    return this.#input.length < length ? partial : { is: 'open', rest: this.#input.subarray(length) }
  }
}

/** What is wrong with a user or password; undefined: nothing. */
export function socksLoginFault(text: string): string | undefined {
  const length = Buffer.byteLength(text)
  return length >= 1 && length <= SOCKS_LONGEST ? undefined : `must be 1 to ${SOCKS_LONGEST} bytes, not ${length}`
}

function broken(why: string): SocksStep {
  return { is: 'failed', whose: 'proxy', why }
}

function loginBytes({ user, password }: SocksLogin): Buffer {
  const [name, secret] = [Buffer.from(user), Buffer.from(password)]
  return Buffer.concat([Buffer.of(LOGIN_VERSION, name.length), name, Buffer.of(secret.length), secret])
}

/** Kind and bytes of an address; an IPv4-mapped one is sent as IPv4. */
function addressBytes(text: string): Buffer {
  const address = canonicalAddress(text)
  if (address === undefined) throw new Error(`${text} is no address`)
  if (!address.includes(':')) return Buffer.from([IPV4, ...address.split('.').map(Number)])
  const [left = '', right] = address.split('::')
  const front = left === '' ? [] : left.split(':')
  const back = right === undefined || right === '' ? [] : right.split(':')
  const zeros = Array<string>(8 - front.length - back.length).fill('0')
  return Buffer.concat([
    Buffer.of(IPV6),
    ...[...front, ...zeros, ...back].map((group) => twoBytes(Number.parseInt(group, 16))),
  ])
}

function twoBytes(value: number): Buffer {
  return Buffer.of(value >> 8, value & 0xff)
}
