/**
 * A first-in-first-out list of what waits for a connection. Taking from the front costs the same however long the list
 * is; what was taken and could not go may be put back in front.
 */
export class ReadyList<T> {
  #items: (T | undefined)[] = []
  #head = 0

  get size(): number {
    return this.#items.length - this.#head
  }

  push(item: T): void {
    this.#items.push(item)
  }

  /** Back to the front: it had its turn and lost it through no fault of its own. */
  unshift(item: T): void {
    if (this.#head > 0) this.#items[--this.#head] = item
    else this.#items.unshift(item)
  }

  peek(): T | undefined {
    return this.#items[this.#head]
  }

  shift(): T | undefined {
    if (this.#head === this.#items.length) return undefined
    const item = this.#items[this.#head]
    this.#items[this.#head++] = undefined
    if (this.#head === this.#items.length) {
      this.#items = []
      this.#head = 0
    } else if (this.#head >= 1024 && this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    return item
  }

  /** Takes out all. */
  drain(): T[] {
    const all = this.#items.slice(this.#head) as T[]
    this.#items = []
    this.#head = 0
    return all
  }

  /** Takes out those that fit, wherever they stand; the rest keeps its order. */
  take(fits: (item: T) => boolean): T[] {
    const taken: T[] = []
    const kept: T[] = []
    for (let i = this.#head; i < this.#items.length; i += 1) {
      const item = this.#items[i] as T
      if (fits(item)) taken.push(item)
      else kept.push(item)
    }
    if (taken.length > 0) {
      this.#items = kept
      this.#head = 0
    }
    return taken
  }
}
