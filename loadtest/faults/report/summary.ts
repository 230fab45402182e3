// What a whole matrix came to: a line for each run and the totals, for a person, and the JSON object of the last line.

import { passed } from '../judge-fault.ts'
import type { FaultResult } from '../result.ts'
import { verdict } from './table.ts'
import { plural, seconds } from './words.ts'

/** What of a list the JSON object holds: a long run has thousands of explanations. */
const LISTED = 200

export interface Totals {
  readonly messages: number
  readonly lost: number
  readonly altered: number
  readonly unexpected: number
  readonly duplicates: number
  readonly possibleDuplicates: number
}

type Counted = Totals & Pick<FaultResult, 'bars'>

/** Without the runs that must lose mail: they test the test. */
export function totalsOf(results: readonly Counted[]): Totals {
  const honest = results.filter(({ bars }) => bars.losses !== true)
  const sum = (key: keyof Totals) => honest.reduce((total, result) => total + result[key], 0)
  return {
    messages: sum('messages'),
    lost: sum('lost'),
    altered: sum('altered'),
    unexpected: sum('unexpected'),
    duplicates: sum('duplicates'),
    possibleDuplicates: sum('possibleDuplicates'),
  }
}

export function summary(results: readonly FaultResult[]): string {
  const width = Math.max(0, ...results.map(({ name }) => name.length))
  return [...results.map((result) => `${result.name.padEnd(width)}  ${lineOf(result)}`), totalsText(results)].join('\n')
}

/** With `one` the result itself, else all runs with their totals. */
export function toJson(results: readonly FaultResult[], { one }: { readonly one: boolean }): object {
  const runs = results.map((result) => ({
    ...result,
    explanations: result.explanations.slice(0, LISTED),
    marks: result.marks.slice(0, LISTED),
    passed: passed(result),
  }))
  const [only] = runs
  if (one && only !== undefined) return only
  return {
    runs,
    ...totalsOf(results),
    passedRuns: results.filter(passed).length,
    passed: results.length > 0 && results.every(passed),
  }
}

function lineOf(result: FaultResult): string {
  const { lost, altered, unexpected, duplicates, longestAcceptGapMs, takeoverMs, recoveryMs } = result
  const worst = [
    `${lost}/${altered}/${unexpected} lost/altered/unexpected`,
    plural(duplicates, 'duplicate'),
    `gap ${seconds(longestAcceptGapMs)}`,
    `held up ${seconds(takeoverMs)}`,
    `recovery ${seconds(recoveryMs)}`,
  ].join(', ')
  const wrong = [...result.failures, ...result.missedBars]
  return `${verdict(result)}: ${worst}${wrong.length === 0 ? '' : `; ${wrong.join('; ')}`}`
}

export function totalsText(results: readonly (Counted & Pick<FaultResult, 'failures' | 'missedBars'>)[]): string {
  const { messages, lost, altered, unexpected, duplicates, possibleDuplicates } = totalsOf(results)
  const runs = `${results.filter(passed).length} of ${plural(results.length, 'run')} passed`
  return (
    `${runs}: ${plural(messages, 'message')}, ${lost} lost, ${altered} altered, ${unexpected} unexpected, ` +
    `${plural(duplicates, 'duplicate')} (${possibleDuplicates} counted as possible)`
  )
}
