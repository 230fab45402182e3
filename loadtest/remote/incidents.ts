// What went wrong with a connection or a command, with the words of the other side: all are counted, the first of each kind are
// kept.

export interface Incident {
  /** ISO 8601. */
  readonly at: string
  /** The command, or the step of a connection, that it happened at. */
  readonly stage: string
  /** Of a reply. */
  readonly code?: number
  readonly text: string
  /** Address and port, and where it was heard the name in the greeting. */
  readonly edge: string
}

const KEPT = 20
const LONGEST_TEXT = 300

export class Incidents {
  readonly #first: Incident[] = []
  readonly #byStage = new Map<string, number>()
  #count = 0

  /** `at`: monotonic milliseconds of this process. */
  add({ at, text, ...incident }: Omit<Incident, 'at'> & { readonly at: number }): void {
    this.#count++
    this.#byStage.set(incident.stage, (this.#byStage.get(incident.stage) ?? 0) + 1)
    if (this.#first.length < KEPT) {
      this.#first.push({ at: isoTime(at), ...incident, text: text.slice(0, LONGEST_TEXT) })
    }
  }

  get count(): number {
    return this.#count
  }

  get byStage(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#byStage)
  }

  get first(): readonly Incident[] {
    return this.#first
  }
}

export function isoTime(at: number): string {
  return new Date(performance.timeOrigin + at).toISOString()
}
