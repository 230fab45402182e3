// The series behind a metric: a counter, a gauge, a histogram with fixed labels. Changing one is a few machine
// instructions; names, labels and text are dealt with when Prometheus asks. Take a series once (`with`) and keep it.

export interface Sample {
  readonly metricName: string
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number
}

type LabelSet = Readonly<Record<string, string | number>>

export class Counter {
  #value = 0

  inc(by = 1): void {
    this.#value += by
  }

  get value(): number {
    return this.#value
  }

  samples(name: string, labels: LabelSet): Sample[] {
    return [{ metricName: name, labels, value: this.#value }]
  }
}

export class Gauge {
  #value = 0
  #read: (() => number | undefined) | undefined

  set(value: number): void {
    this.#value = value
  }

  inc(by = 1): void {
    this.#value += by
  }

  dec(by = 1): void {
    this.#value -= by
  }

  /** Asks this function whenever Prometheus asks. Undefined leaves the series out: what is not known is no zero. */
  from(read: () => number | undefined): void {
    this.#read = read
  }

  get value(): number | undefined {
    return this.#read === undefined ? this.#value : this.#read()
  }

  samples(name: string, labels: LabelSet): Sample[] {
    const { value } = this
    return value === undefined ? [] : [{ metricName: name, labels, value }]
  }
}

export class Histogram {
  readonly #bounds: Float64Array
  readonly #counts: Float64Array
  #sum = 0

  constructor(buckets: readonly number[]) {
    this.#bounds = Float64Array.from(buckets)
    this.#counts = new Float64Array(buckets.length + 1)
  }

  observe(value: number): void {
    const bounds = this.#bounds
    let i = 0
    while (i < bounds.length && value > bounds[i]!) i++
    this.#counts[i]! += 1
    this.#sum += value
  }

  get count(): number {
    return this.#counts.reduce((sum, n) => sum + n, 0)
  }

  get sum(): number {
    return this.#sum
  }

  samples(name: string, labels: LabelSet): Sample[] {
    const samples: Sample[] = []
    let total = 0
    for (const [i, count] of this.#counts.entries()) {
      total += count
      const le = i < this.#bounds.length ? this.#bounds[i]! : '+Inf'
      samples.push({ metricName: `${name}_bucket`, labels: { ...labels, le }, value: total })
    }
    samples.push({ metricName: `${name}_sum`, labels, value: this.#sum })
    samples.push({ metricName: `${name}_count`, labels, value: total })
    return samples
  }
}
