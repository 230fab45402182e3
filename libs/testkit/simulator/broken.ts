/** A promise of the queue was broken; the run ends here. `promise` is a short name for statistics, the text tells the case. */
export class Broken extends Error {
  readonly promise: string

  constructor(promise: string, text: string) {
    super(`${promise}: ${text}`)
    this.promise = promise
  }
}
