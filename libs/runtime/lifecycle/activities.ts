// Activities: the named pieces of work a process must not drop (an SMTP transaction, a delivery attempt). Once stopped, no
// more are handed out; whoever stops waits for those under way and can say which they are.

export interface Activity extends Disposable {
  /** Such as "smtp session"; what the log counts by when it waits. */
  readonly name: string
  /** Ends it; a second call does nothing. */
  end(): void
}

export class Activities {
  readonly #underWay = new Set<Activity>()
  readonly #waiters: (() => void)[] = []
  #stopped = false

  /** Begins one, or answers undefined when the process is stopping: then begin nothing. */
  begin(name: string): Activity | undefined {
    if (this.#stopped) return undefined
    const activity = new Begun(name, this.#underWay, this.#ended)
    this.#underWay.add(activity)
    return activity
  }

  get size(): number {
    return this.#underWay.size
  }

  get stopped(): boolean {
    return this.#stopped
  }

  /** Hands out no more from now on. */
  stop(): void {
    this.#stopped = true
  }

  /** Resolves when none is under way. */
  idle(): Promise<void> {
    if (this.#underWay.size === 0) return Promise.resolve()
    return new Promise((resolve) => this.#waiters.push(resolve))
  }

  /** What is under way, counted by name: `{ "smtp session": 2 }`. */
  counts(): Record<string, number> {
    const counts: Record<string, number> = {}
    for (const { name } of this.#underWay) counts[name] = (counts[name] ?? 0) + 1
    return counts
  }

  readonly #ended = (): void => {
    if (this.#underWay.size === 0) for (const resolve of this.#waiters.splice(0)) resolve()
  }
}

class Begun implements Activity {
  readonly name: string
  readonly #underWay: Set<Activity>
  readonly #ended: () => void

  constructor(name: string, underWay: Set<Activity>, ended: () => void) {
    this.name = name
    this.#underWay = underWay
    this.#ended = ended
  }

  end(): void {
    if (this.#underWay.delete(this)) this.#ended()
  }

  [Symbol.dispose](): void {
    this.end()
  }
}
