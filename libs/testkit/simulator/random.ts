/** The only source of chance in a simulated run: the same seed gives the same run. Small and fast (xorshift128). */
export class Random {
  #x: number
  #y: number
  #z: number
  #w: number

  constructor(seed: number) {
    // Seeds that are neighbours must not give runs that are: each word is mixed, then some are thrown away.
    this.#x = mix(seed)
    this.#y = mix(this.#x ^ Math.floor(seed / 2 ** 32))
    this.#z = mix(this.#y)
    this.#w = mix(this.#z) || 1
    for (let i = 0; i < 12; i++) this.next()
  }

  /** In [0, 1). */
  next(): number {
    const t = this.#x ^ (this.#x << 11)
    this.#x = this.#y
    this.#y = this.#z
    this.#z = this.#w
    this.#w = this.#w ^ (this.#w >>> 19) ^ t ^ (t >>> 8)
    return (this.#w >>> 0) / 2 ** 32
  }

  chance(probability: number): boolean {
    return probability > 0 && this.next() < probability
  }

  between(low: number, high: number): number {
    return low + (high - low) * this.next()
  }

  /** Small values are as likely as large ones: each order of magnitude gets its share. */
  spread(low: number, high: number): number {
    return low * (high / low) ** this.next()
  }

  /** An integer in [low, high]. */
  whole(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1))
  }

  pick<T>(of: readonly T[]): T {
    return of[Math.floor(this.next() * of.length)] as T
  }

  /** Time to the next event of a process that has one every `mean` on average. */
  wait(mean: number): number {
    return -Math.log(1 - this.next()) * mean
  }
}

function mix(seed: number): number {
  let h = (seed + 0x9e3779b9) | 0
  h = Math.imul(h ^ (h >>> 16), 0x21f0aaad)
  h = Math.imul(h ^ (h >>> 15), 0x735a2d97)
  return (h ^ (h >>> 15)) | 0
}
