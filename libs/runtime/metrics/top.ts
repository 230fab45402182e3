// The series of a label whose values nobody knows before: destinations, ways out. They are asked for when Prometheus asks, and
// only the largest are shown, so that a process has no more series with a hundred thousand destinations than with twenty.
import type { Sample } from './series.ts'

/** What has a value now, by name. A name may come once only. */
export type Rows = Iterable<readonly [name: string, value: number]>

export class Top {
  readonly #label: string
  readonly #most: number
  #read: (() => Rows) | undefined

  constructor(label: string, most: number) {
    this.#label = label
    this.#most = most
  }

  /** Asks this function whenever Prometheus asks. */
  from(read: () => Rows): void {
    this.#read = read
  }

  /** The largest first. */
  samples(name: string): Sample[] {
    const largest = new Largest(this.#most)
    for (const [value, number] of this.#read?.() ?? []) largest.offer(value, number)
    return largest.rows.map(([value, number]) => ({
      metricName: name,
      labels: { [this.#label]: value },
      value: number,
    }))
  }
}

/** The largest of what it is offered; what it keeps is a short sorted list, for most are smaller than its last. */
export class Largest {
  readonly #most: number
  /** The largest first; of equals those that came first. */
  readonly rows: (readonly [name: string, value: number])[] = []

  constructor(most: number) {
    this.#most = most
  }

  offer(name: string, value: number): void {
    const { rows } = this
    if (rows.length === this.#most && value <= rows[rows.length - 1]![1]) return
    let at = rows.length
    while (at > 0 && value > rows[at - 1]![1]) at--
    rows.splice(at, 0, [name, value])
    if (rows.length > this.#most) rows.pop()
  }
}
