/** Counts what attempts came to, and the replies that decided, in series taken once. */
import type { Metrics } from '@posthouse/runtime/metrics/registry'
import type { Counter } from '@posthouse/runtime/metrics/series'
import type { Finding } from './attempt.ts'
import { attemptResults, replyCodes } from './metrics.ts'
import type { metricsTable } from './metrics.ts'
import type { NoConnection } from './no-connection.ts'

type Results = Readonly<Record<(typeof attemptResults)[number], Counter>>

export class AttemptCounts {
  readonly #results: Results
  /** By code; those that have no series of their own are in that of their class. */
  readonly #replies: readonly (Counter | undefined)[]
  readonly #noReply: Counter

  constructor({ attempts, replies }: Metrics<typeof metricsTable>) {
    const results = attemptResults.map((result) => [result, attempts.with({ result })] as const)
    this.#results = Object.fromEntries(results) as Results
    this.#replies = Array.from({ length: 600 }, (_, number) => {
      const own = replyCodes.find((code) => code === String(number))
      const its = own ?? replyCodes.find((code) => code === `${Math.floor(number / 100)}xx`)
      return its && replies.with({ code: its })
    })
    this.#noReply = replies.with({ code: 'none' })
  }

  /** An attempt on a connection, with at least one finding. */
  over(findings: readonly Finding[]): void {
    this.#results[resultOf(findings)].inc()
    for (const finding of findings) this.#count(finding)
  }

  /** No connection could be had for it. */
  notBegun(why: NoConnection['is'], findings: readonly Finding[]): void {
    this.#results[why === 'cut off' ? 'cut_off' : why].inc()
    for (const finding of findings) this.#count(finding)
  }

  #count({ isReply, diagnostic }: Finding): void {
    const series = isReply ? this.#replies[codeOf(diagnostic)] : undefined
    const its = series ?? this.#noReply
    its.inc()
  }
}

function resultOf(findings: readonly Finding[]): 'delivered' | 'temporary' | 'permanent' | 'mixed' | 'no_reply' {
  const first = findings[0] as Finding
  for (const { is } of findings) if (is !== first.is) return 'mixed'
  if (first.is === 'next transaction') return 'temporary'
  return first.is === 'temporary' && !findings.some(({ isReply }) => isReply) ? 'no_reply' : first.is
}

/** The line of a reply begins with its three digits; NaN else, which is no code. */
function codeOf(line: string): number {
  const digit = (at: number): number => line.charCodeAt(at) - 0x30
  return digit(0) * 100 + digit(1) * 10 + digit(2)
}
