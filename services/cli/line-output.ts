// Lines to standard output for as long as somebody reads them: a slow reader is waited for, one that has gone ends it.
import { once } from 'node:events'
import type { Writable } from 'node:stream'

export class LineOutput {
  /** Aborted when the reader has gone, or `stop` is: nothing more is to be written. */
  readonly ended: AbortSignal
  readonly #stream: Writable
  readonly #gone = new AbortController()

  constructor(stream: Writable, stop: AbortSignal) {
    this.#stream = stream
    this.ended = AbortSignal.any([stop, this.#gone.signal])
    for (const event of ['error', 'close']) stream.once(event, () => this.#gone.abort())
  }

  get gone(): boolean {
    return this.#gone.signal.aborted
  }

  /** Resolves when there is room for more, or it has ended; undefined: there is room now. */
  line(text: string): Promise<void> | undefined {
    if (this.gone || this.#stream.write(`${text}\n`)) return undefined
    return once(this.#stream, 'drain', { signal: this.ended }).then(
      () => {},
      () => {},
    )
  }

  /** Resolves when the reader has got everything, or has gone. */
  flushed(): Promise<void> {
    if (this.gone) return Promise.resolve()
    return new Promise((resolve) => this.#stream.write('', () => resolve()))
  }
}
