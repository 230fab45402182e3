// The series behind a metric: a counter, a gauge, a histogram with fixed labels. Changing one is a few machine
// instructions; names, labels and text are dealt with when Prometheus asks. Take a series once (`with`) and keep it.

export interface Sample {
  readonly metricName: string
  readonly labels: LabelSet
  readonly value: number
  /** One of the things that were observed, with where to read more of it. */
  readonly exemplar?: Exemplar
}

/** As OpenMetrics has it; the time is in seconds since the epoch. */
export interface Exemplar {
  readonly labelSet: { readonly trace_id: string }
  readonly value: number
  readonly timestamp: number
}

type LabelSet = Readonly<Record<string, string | number>>

export class Counter {
  #value = 0
  #read: (() => number) | undefined

  inc(by = 1): void {
    this.#value += by
  }

  /** For what is counted elsewhere already: asks this function whenever Prometheus asks. It may never go down. */
  from(read: () => number): void {
    this.#read = read
  }

  get value(): number {
    return this.#read === undefined ? this.#value : this.#read()
  }

  samples(name: string, labels: LabelSet): Sample[] {
    return [{ metricName: name, labels, value: this.value }]
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

/** The last exemplar of one bucket; kept from the first on, and written over. */
interface Kept {
  traceId: string
  value: number
  /** ms since the epoch. */
  at: number
}

export class Histogram {
  readonly #bounds: Float64Array
  readonly #counts: Float64Array
  readonly #exemplars: (Kept | undefined)[]
  #sum = 0

  constructor(buckets: readonly number[]) {
    this.#bounds = Float64Array.from(buckets)
    this.#counts = new Float64Array(buckets.length + 1)
    this.#exemplars = Array.from({ length: buckets.length + 1 }, () => undefined)
  }

  /** `traceId`: 32 hex digits of a trace that is recorded; the last one of each bucket is shown as its exemplar. */
  observe(value: number, traceId?: string): void {
    const bounds = this.#bounds
    let i = 0
    while (i < bounds.length && value > bounds[i]!) i++
    this.#counts[i]! += 1
    this.#sum += value
    if (traceId !== undefined) this.#keep(i, value, traceId)
  }

  #keep(i: number, value: number, traceId: string): void {
    const kept = this.#exemplars[i]
    if (kept === undefined) {
      this.#exemplars[i] = { traceId, value, at: Date.now() }
      return
    }
    kept.traceId = traceId
    kept.value = value
    kept.at = Date.now()
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
      const kept = this.#exemplars[i]
      const sample = { metricName: `${name}_bucket`, labels: { ...labels, le }, value: total }
      samples.push(kept === undefined ? sample : { ...sample, exemplar: exemplarOf(kept) })
    }
    samples.push({ metricName: `${name}_sum`, labels, value: this.#sum })
    samples.push({ metricName: `${name}_count`, labels, value: total })
    return samples
  }
}

function exemplarOf({ traceId, value, at }: Kept): Exemplar {
  return { labelSet: { trace_id: traceId }, value, timestamp: at / 1000 }
}
