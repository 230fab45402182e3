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
    const rows = this.#read === undefined ? [] : largest(this.#read(), this.#most)
    return rows.map(([value, number]) => ({ metricName: name, labels: { [this.#label]: value }, value: number }))
  }
}

/** One pass; what is kept is a short sorted list, for most rows are smaller than its last. Of equals the first ones stay. */
function largest(rows: Rows, most: number): (readonly [string, number])[] {
  const kept: (readonly [string, number])[] = []
  for (const row of rows) {
    if (kept.length === most && row[1] <= kept[most - 1]![1]) continue
    let at = kept.length
    while (at > 0 && row[1] > kept[at - 1]![1]) at--
    kept.splice(at, 0, row)
    if (kept.length > most) kept.pop()
  }
  return kept
}
