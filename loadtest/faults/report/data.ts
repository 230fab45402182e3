// What docs/faults.json holds: of each fault the last run that was written down, with the conditions it ran under, so that one
// fault can be run again without the others. Pure.

import type { FaultResult } from '../result.ts'
import type { Conditions } from './conditions.ts'
import { reasonsOf, type Reason } from './reasons.ts'

const TOLD = [
  'name',
  'kind',
  'what',
  'seed',
  'isolated',
  'bars',
  'messages',
  'lost',
  'altered',
  'unexpected',
  'duplicates',
  'possibleDuplicates',
  'longestAcceptGapMs',
  'takeoverMs',
  'recoveryMs',
  'failures',
  'missedBars',
] as const satisfies readonly (keyof FaultResult)[]

export interface Run extends Pick<FaultResult, (typeof TOLD)[number]> {
  readonly reasons: readonly Reason[]
  /** Index of its conditions. */
  readonly under: number
}

export interface FaultsData {
  readonly conditions: readonly Conditions[]
  /** In the order of the table of faults. */
  readonly runs: readonly Run[]
  /** The run that docs/faults.svg shows. */
  readonly plotted: { readonly name: string; readonly seed: number } | null
}

export const NO_DATA: FaultsData = { conditions: [], runs: [], plotted: null }

/** A new run takes the place of the fault's last one; what no fault is called any more is left out. */
export function merged(
  data: FaultsData,
  results: readonly FaultResult[],
  now: Conditions,
  names: readonly string[],
): FaultsData {
  const conditions: Conditions[] = []
  const add = (run: Omit<Run, 'under'>, under: Conditions): Run => ({ ...run, under: indexOf(conditions, under) })
  const runs = names.flatMap((name) => {
    const result = results.findLast((each) => each.name === name)
    if (result !== undefined) return [add(runOf(result), now)]
    const kept = data.runs.find((each) => each.name === name)
    const under = kept === undefined ? undefined : data.conditions[kept.under]
    return kept === undefined || under === undefined ? [] : [add(kept, under)]
  })
  return { conditions, runs, plotted: data.plotted }
}

function runOf(result: FaultResult): Omit<Run, 'under'> {
  const told = Object.fromEntries(TOLD.map((key) => [key, result[key]])) as Pick<FaultResult, (typeof TOLD)[number]>
  return { ...told, reasons: reasonsOf(result.explanations) }
}

/** Where equal conditions stand in the list, to which they are added if they are new. */
function indexOf(conditions: Conditions[], wanted: Conditions): number {
  const text = JSON.stringify(wanted)
  const index = conditions.findIndex((each) => JSON.stringify(each) === text)
  return index === -1 ? conditions.push(wanted) - 1 : index
}
