/** Virtual time: what happens when, in order. Things due at the same time happen in the order in which they were planned. */
export class Timeline {
  /** True time, ms. Nobody in the simulation sees it; nodes have clocks of their own. */
  now = 0
  events = 0
  #order = 0
  readonly #heap: Event[] = []

  at(time: number, run: () => void): void {
    const event: Event = { time: time > this.now ? time : this.now, order: this.#order++, run }
    const heap = this.#heap
    let child = heap.length
    heap.push(event)
    while (child > 0) {
      const parent = (child - 1) >>> 1
      const above = heap[parent] as Event
      if (!isBefore(event, above)) break
      heap[child] = above
      child = parent
    }
    heap[child] = event
  }

  after(ms: number, run: () => void): void {
    this.at(this.now + ms, run)
  }

  /** Runs everything that is due up to `time`, and stands there. */
  runTo(time: number): void {
    const heap = this.#heap
    while (heap.length > 0) {
      const first = heap[0] as Event
      if (first.time > time) break
      this.#pop()
      this.now = first.time
      this.events++
      first.run()
    }
    this.now = time
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop() as Event
    const length = heap.length
    if (length === 0) return
    let parent = 0
    for (;;) {
      let child = 2 * parent + 1
      if (child >= length) break
      if (child + 1 < length && isBefore(heap[child + 1] as Event, heap[child] as Event)) child++
      if (!isBefore(heap[child] as Event, last)) break
      heap[parent] = heap[child] as Event
      parent = child
    }
    heap[parent] = last
  }
}

interface Event {
  readonly time: number
  readonly order: number
  readonly run: () => void
}

const isBefore = (a: Event, b: Event) => a.time < b.time || (a.time === b.time && a.order < b.order)
