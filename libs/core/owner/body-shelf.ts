/**
 * Which bodies of the partition's body stream are needed. A body can be purged when the floor is past the MAIL sequence
 * it came with and no open `.later` entry refers to it.
 */
interface Body {
  origin: number
  /** Open `.later` entries that refer to it. */
  laters: number
  /** The last entry that closed a task with this body: a successor that reads from there on purges it again. */
  lastCloser: number
  purging: boolean
}

export class BodyShelf {
  readonly #bodies = new Map<string, Body>()
  readonly #bodyRule: boolean

  constructor(bodyRule: boolean) {
    this.#bodyRule = bodyRule
  }

  /** A record that refers to it has been read in MAIL, or an entry mentions it. */
  know(id: string, origin: number): Body {
    let body = this.#bodies.get(id)
    if (body === undefined) this.#bodies.set(id, (body = { origin, laters: 0, lastCloser: 0, purging: false }))
    return body
  }

  later(id: string, origin: number): void {
    this.know(id, origin).laters++
  }
  laterClosed(id: string): void {
    const body = this.#bodies.get(id)
    if (body !== undefined) body.laters--
  }
  closedBy(id: string, origin: number, entry: number): void {
    const body = this.know(id, origin)
    if (entry > body.lastCloser) body.lastCloser = entry
  }

  /** A record that refers to it was seen, and it has not been purged since. */
  has(id: string): boolean {
    return this.#bodies.has(id)
  }

  /** Bodies that nothing needs any more; each is named once until `purged` says it failed. */
  takeUnneeded(floor: number): string[] {
    const unneeded: string[] = []
    for (const [id, body] of this.#bodies) {
      const free = this.#bodyRule ? body.origin < floor && body.laters === 0 : body.lastCloser > 0
      if (!free || body.purging) continue
      body.purging = true
      unneeded.push(id)
    }
    return unneeded
  }

  purged(id: string, done: boolean): void {
    const body = this.#bodies.get(id)
    if (body === undefined) return
    if (done) this.#bodies.delete(id)
    else body.purging = false
  }

  get size(): number {
    return this.#bodies.size
  }

  lowestCloser(): number {
    let lowest = Infinity
    for (const { lastCloser, laters } of this.#bodies.values()) {
      // While an open entry refers to it, that entry's head tells a successor.
      if (laters === 0 && lastCloser > 0 && lastCloser < lowest) lowest = lastCloser
    }
    return lowest
  }
}
