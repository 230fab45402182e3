/** The series that the sessions of a listener count in, taken once: nothing is looked up for a reply or a message. */
import type { Metrics } from '@posthouse/runtime/metrics/registry'
import type { Counter } from '@posthouse/runtime/metrics/series'
import { replyClasses, tlsVersions } from './metrics.ts'
import type { metricsTable } from './metrics.ts'
import type { Role } from './role.ts'

export class ListenerSeries {
  readonly connections: Counter
  readonly accepted: Counter
  /** By the first digit of the code. */
  readonly #replies: (Counter | undefined)[] = []
  readonly #encrypted: ReadonlyMap<string | null, Counter>

  constructor(metrics: Metrics<typeof metricsTable>, role: Role) {
    this.connections = metrics.connections.with({ role })
    this.accepted = metrics.accepted.with({ role })
    for (const digit of [0, 1, 2, 3, 4, 5]) {
      const name = replyClasses.find((one) => one.startsWith(String(digit)))
      this.#replies.push(name && metrics.replies.with({ class: name }))
    }
    this.#encrypted = new Map(tlsVersions.map((version) => [version, metrics.tlsSessions.with({ version })]))
  }

  replied(code: number): void {
    this.#replies[Math.floor(code / 100)]?.inc()
  }

  /** `protocol` as the socket names it: "TLSv1.3". */
  encrypted(protocol: string | null): void {
    this.#encrypted.get(protocol)?.inc()
  }
}
