// What a run came to, for people at a terminal. Pure.

import { inSeconds } from '../judge.ts'
import type { RunResult, StepResult } from '../result.ts'

const HEADER = ['step', 'outcome', 'took', 'accepted', 'gap', 'refused', 'lost conn.', 'twice', 'slowest']

export function summary({ steps, mail, failures, passed, seconds }: RunResult): string {
  const rows = [HEADER, ...steps.map(cells)]
  const widths = HEADER.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  const of =
    mail === null
      ? 'the mail was not judged'
      : `${mail.messages} messages to ${mail.recipients} recipients: lost ${mail.lost}, altered ${mail.altered}, unexpected ${mail.unexpected}, twice ${mail.duplicates}`
  const verdict = passed ? 'passed' : ['FAILED', ...failures.map((failure) => `  ${failure}`)].join('\n')
  return [...lines, '', of, `${verdict} (${Math.round(seconds / 60)} min)`].join('\n')
}

function cells({ name, outcome, seconds, facts }: StepResult): string[] {
  if (outcome === 'not run') return [name, outcome, ...HEADER.slice(2).map(() => '')]
  const took = inSeconds(seconds * 1000)
  if (facts === null) return [name, outcome, took, ...HEADER.slice(3).map(() => '')]
  const { accepted, gapMs, refused, turnedAway, connectFailures, lostConnections, duplicates, longestDeliveryMs } =
    facts
  return [
    name,
    outcome,
    took,
    String(accepted),
    inSeconds(gapMs),
    String(refused + turnedAway),
    String(lostConnections + connectFailures),
    String(duplicates),
    longestDeliveryMs === null ? '' : inSeconds(longestDeliveryMs),
  ]
}
