// Where log lines go: gathered in memory, written to a file descriptor in one piece when there is enough of them or 100 ms
// have passed, never blocking the event loop. A reader that stalls costs lines, not the node: above a bound they are
// dropped, and a line says how many.
import { write, writeSync } from 'node:fs'

const ENOUGH = 32 * 1024
const DELAY = 100
const BOUND = 16 * 1024 * 1024
const RETRY = 20
/** A write that takes longer has no reader worth waiting for. */
const STALLED = 1000

export interface OutputCalls {
  readonly write: typeof write
  readonly writeSync: typeof writeSync
}

export class BufferedOutput {
  readonly #fd: number
  readonly #calls: OutputCalls
  #text = ''
  #inFlight: Buffer | undefined
  #sentAt = 0
  #timer: NodeJS.Timeout | undefined
  #dropped = 0
  #droppedBefore = 0
  #gone = false
  #drained: (() => void)[] = []

  constructor(fd: number, calls: OutputCalls = { write, writeSync }) {
    this.#fd = fd
    this.#calls = calls
  }

  write(line: string): void {
    if (this.#gone) return
    if (this.#text.length > BOUND) {
      this.#dropped++
      return
    }
    this.#text += line
    if (this.#text.length >= ENOUGH) this.#send()
    else this.#timer ??= setTimeout(this.#send, DELAY).unref()
  }

  /** Lines that nobody will read, since the start. */
  get dropped(): number {
    return this.#droppedBefore + this.#dropped
  }

  /** Resolves when everything written so far has gone out, or nobody reads any more. For the end: nothing goes out after. */
  async drain(): Promise<void> {
    this.#send()
    if (this.#inFlight === undefined) return
    let timer: NodeJS.Timeout | undefined
    const stalled = new Promise<void>((resolve) => (timer = setTimeout(resolve, STALLED)))
    await Promise.race([new Promise<void>((resolve) => this.#drained.push(resolve)), stalled])
    clearTimeout(timer)
    if (this.#inFlight !== undefined) this.#lose()
  }

  /** For an exit that cannot wait: writes what is gathered before it returns. What is in flight is on its way already. */
  flushSync(): void {
    if (this.#inFlight !== undefined && performance.now() - this.#sentAt > STALLED) this.#lose()
    this.#noteDropped()
    let rest = Buffer.from(this.#text)
    this.#text = ''
    // A full pipe gets a moment, not for ever.
    for (let tries = 0; rest.length > 0 && tries < 50 && !this.#gone; tries++)
      try {
        rest = rest.subarray(this.#calls.writeSync(this.#fd, rest))
      } catch (error) {
        if (!isFull(error)) this.#lose()
        else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY)
      }
  }

  readonly #send = (): void => {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#inFlight !== undefined || this.#gone) return
    this.#noteDropped()
    if (this.#text === '') return
    this.#inFlight = Buffer.from(this.#text)
    this.#text = ''
    this.#sentAt = performance.now()
    this.#push(this.#inFlight)
  }

  #push(rest: Buffer): void {
    this.#calls.write(this.#fd, rest, (error, written) => {
      if (error !== null && !isFull(error)) return this.#lose()
      const left = error === null ? rest.subarray(written) : rest
      if (error !== null) setTimeout(() => this.#push(left), RETRY).unref()
      else if (left.length > 0) this.#push(left)
      else this.#sent()
    })
  }

  #sent(): void {
    this.#inFlight = undefined
    if (this.#text.length >= ENOUGH || (this.#text !== '' && this.#drained.length > 0)) this.#send()
    else if (this.#text !== '') this.#timer ??= setTimeout(this.#send, DELAY).unref()
    if (this.#inFlight === undefined) for (const resolve of this.#drained.splice(0)) resolve()
  }

  #noteDropped(): void {
    if (this.#dropped === 0) return
    const time = new Date().toISOString()
    this.#text += `${JSON.stringify({ level: 'warn', time, dropped: this.#dropped, msg: 'log lines dropped: nobody reads' })}\n`
    this.#droppedBefore += this.#dropped
    this.#dropped = 0
  }

  // The reader has gone (EPIPE) or the descriptor is closed: there is nowhere left to say so.
  #lose(): void {
    this.#gone = true
    this.#inFlight = undefined
    this.#text = ''
    for (const resolve of this.#drained.splice(0)) resolve()
  }
}

function isFull(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'EAGAIN'
}
