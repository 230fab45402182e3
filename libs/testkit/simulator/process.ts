/**
 * One process on its machine: up or down, running or frozen. What arrives for a former incarnation is dropped; what
 * arrives for a frozen one waits, and is handled in order when it goes on.
 */
import type { MachineClock } from './machine-clock.ts'

export class Process {
  readonly name: string
  readonly clock: MachineClock
  incarnation = 0
  up = false
  frozen = false
  #inbox: (() => void)[] = []

  constructor(name: string, clock: MachineClock) {
    this.name = name
    this.clock = clock
  }

  /** Never used again. */
  get id(): string {
    return `${this.name}.${this.incarnation}`
  }

  begin(): void {
    this.incarnation++
    this.up = true
    this.frozen = false
    this.#inbox = []
  }

  die(): void {
    this.up = false
    this.frozen = false
    this.#inbox = []
  }

  isRunning(incarnation: number): boolean {
    return this.up && incarnation === this.incarnation
  }

  /** Hands something to the process that was `incarnation` when it was asked for. */
  run(incarnation: number, handle: () => void): void {
    if (!this.up || incarnation !== this.incarnation) return
    if (this.frozen) this.#inbox.push(handle)
    else handle()
  }

  freeze(): void {
    this.frozen = true
  }

  /** Goes on: all that has become due is handled now, one after the other, each only if nothing stops the process again. */
  thaw(): void {
    if (!this.frozen) return
    this.frozen = false
    const waiting = this.#inbox
    this.#inbox = []
    const { incarnation } = this
    for (const handle of waiting) this.run(incarnation, handle)
  }
}
