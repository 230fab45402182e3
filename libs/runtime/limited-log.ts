// A log for what strangers can cause: refused commands, failed log-ins, lost connections. Of each message only so many lines
// a second are written, so that an attack neither fills the disk nor slows the node; the rest is counted, and once a
// second one line says how much was left out. What concerns accepted mail never goes through here.
import type { Log } from './log.ts'
import { LogLimit } from './log-limit.ts'
import type { LeftOut } from './log-limit.ts'

const PER_SECOND = 50
const BURST = 200
const REPORT_MS = 1000

type Limited = 'debug' | 'info' | 'warn'

export interface LimitedLogOptions {
  readonly perSecond?: number
  readonly burst?: number
  /** Monotonic clock, ms. */
  readonly now?: () => number
}

export class LimitedLog {
  readonly #log: Log
  readonly #limit: LogLimit
  readonly #now: () => number
  #timer: NodeJS.Timeout | undefined

  constructor(log: Log, options: LimitedLogOptions = {}) {
    const { perSecond = PER_SECOND, burst = BURST, now = () => performance.now() } = options
    this.#log = log
    this.#limit = new LogLimit({ perSecond, burst })
    this.#now = now
  }

  debug(fields: object, message: string): void {
    this.#write('debug', fields, message)
  }
  info(fields: object, message: string): void {
    this.#write('info', fields, message)
  }
  warn(fields: object, message: string): void {
    this.#write('warn', fields, message)
  }

  /** Lines left out since the start, by message. */
  suppressed(): LeftOut {
    return this.#limit.suppressed()
  }

  /** Says what was left out and not said yet. */
  close(): void {
    this.#report()
  }

  #write(level: Limited, fields: object, message: string): void {
    // What would not be written anyway takes no room, and is not left out.
    if (!this.#log.isLevelEnabled(level)) return
    if (this.#limit.take(message, this.#now())) return this.#log[level](fields, message)
    this.#log.leaveOut()
    this.#timer ??= setTimeout(() => this.#report(), REPORT_MS).unref()
  }

  #report(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const lines = this.#limit.report()
    if (lines !== undefined) this.#log.warn({ lines }, 'log lines left out')
  }
}
