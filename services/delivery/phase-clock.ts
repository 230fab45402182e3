/**
 * Which phase of a connection or transaction lasts since when, and how long it may (RFC 5321 4.5.3.2). Looked at by a tick
 * of the owner, so that a message costs no timer.
 */

export interface ClientTimeouts {
  readonly connect: number
  readonly greeting: number
  readonly command: number
  readonly data: number
  readonly block: number
  readonly final: number
}
export type Phase = keyof ClientTimeouts | 'handshake' | 'quit'

const AWAITED: Readonly<Record<Phase, string>> = {
  connect: 'the connection',
  handshake: 'the TLS handshake',
  greeting: 'the greeting',
  command: 'a reply',
  data: 'the reply to DATA',
  block: 'the host to take the content',
  final: 'the reply to the final dot',
  quit: 'the reply to QUIT',
}
const QUIT_MS = 3000

export class PhaseClock {
  readonly #limits: Readonly<Record<Phase, number>>
  readonly #now: () => number
  #phase: Phase = 'connect'
  #since: number

  constructor(timeouts: ClientTimeouts, now: () => number) {
    this.#limits = { ...timeouts, handshake: timeouts.connect, quit: QUIT_MS }
    this.#now = now
    this.#since = now()
  }

  enter(phase: Phase): void {
    this.#phase = phase
    this.#since = this.#now()
  }

  /** The phase goes on: something came. */
  renew(): void {
    this.#since = this.#now()
  }

  /** What was waited for too long; undefined while there is time. */
  overdue(now: number): string | undefined {
    return now - this.#since > this.#limits[this.#phase] ? AWAITED[this.#phase] : undefined
  }
}
