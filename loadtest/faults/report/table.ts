// How one run of a fault is told to a person: the ledger, the times against their bars, why mail went out twice, what the events
// say, and what is wrong if anything is.

import { passed, RECOVERY_MS } from '../judge-fault.ts'
import type { FaultResult } from '../result.ts'
import { reasonsOf, reasonText } from './reasons.ts'
import { bar, plural, seconds } from './words.ts'

type Row = readonly [name: string, value: string | number | null, wrong?: boolean]

export function faultTable(result: FaultResult): string {
  const rows: Row[] = [...ledgerRows(result), ...timeRows(result), ...eventRows(result)]
  const width = Math.max(...rows.map(([name]) => name.length))
  return [
    `${result.name} (seed ${result.seed}): ${result.what}`,
    ...rows.map(([name, value, wrong = false]) => `${wrong ? '!' : ' '} ${name.padEnd(width)}  ${value ?? '-'}`),
    ...reasonsOf(result.explanations).map((reason) => `${reason.why === null ? '!' : ' '} ${reasonText(reason)}`),
    ...Object.entries(result.examples).flatMap(([fault, recipients]) => examples(fault, recipients)),
    ...examples('events', result.events.examples),
    ...[...result.failures, ...result.missedBars].map((line) => `! ${line}`),
    `${result.name}: ${verdict(result)}`,
  ].join('\n')
}

export function verdict(result: Pick<FaultResult, 'failures' | 'missedBars' | 'bars'>): string {
  if (!passed(result)) return result.failures.length > 0 ? 'FAILED' : 'MISSED A BAR'
  return result.bars.losses === true ? 'passed: it loses mail, as it must' : 'passed'
}

function ledgerRows(result: FaultResult): Row[] {
  const { bars } = result
  return [
    ['hit', result.hit.length === 0 ? null : result.hit.join(', ')],
    ['messages', result.messages],
    ['accepted recipients', result.accepted],
    ['delivered', result.delivered],
    ['bounced', result.bounced],
    ['queued', result.queued ?? 'unknown'],
    ['lost', result.lost, result.lost > 0 !== (bars.losses === true)],
    ['altered', result.altered, result.altered > 0],
    ['unexpected', result.unexpected, result.unexpected > 0],
    ['undecided', result.undecided, result.undecided > 0],
    [
      'duplicates',
      `${result.duplicates}, counted as possible: ${result.possibleDuplicates}`,
      result.duplicates > 0 && !bars.duplicates,
    ],
    ['refused / of unknown fate', `${result.refused} / ${result.unknown}`],
  ]
}

function timeRows(result: FaultResult): Row[] {
  const { bars } = result
  return [
    ['messages/s before the fault', result.normalRate],
    ['first hit to last heal', seconds(result.faultMs)],
    timeRow('longest time without a 250', result.longestAcceptGapMs, bars.gapMs, bars.why),
    timeRow('mail was held up at most', result.takeoverMs, bars.takeoverMs ?? null),
    timeRow(
      'normal rate again after',
      result.recoveryMs,
      bars.losses === true ? null : (bars.recoveryMs ?? RECOVERY_MS),
    ),
  ]
}

function timeRow(name: string, ms: number | null, barMs: number | null, why?: string): Row {
  if (barMs === null) return [name, `${seconds(ms)}${why === undefined ? '' : ` (no bar: ${why})`}`]
  return [name, `${seconds(ms)} (bar ${bar(barMs)})`, ms === null || ms > barMs]
}

function eventRows({ events }: FaultResult): Row[] {
  const { tasks, missing, doubled, contradicted, untold, toldTwice } = events
  const log = `${plural(tasks, 'recipient')}: ${missing} without an end, ${doubled} with two, ${contradicted} contradicted`
  return [
    ['log', log, missing + doubled + contradicted > 0],
    ['events', `${untold} missing, ${toldTwice} too many`, untold + toldTwice > 0],
  ]
}

function examples(of: string, list: readonly string[]): string[] {
  return list.length === 0 ? [] : [`  ${of}, for example: ${list.join(' ')}`]
}
