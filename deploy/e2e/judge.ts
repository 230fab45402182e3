// Which bars a step missed, and whether the mail of the whole run is accounted for. Pure.

import type { PhaseFacts, Verdict } from './load.ts'
import type { Bars } from './step.ts'

/** A line for each bar that does not hold. */
export function missed(facts: PhaseFacts, bars: Bars): string[] {
  const lines: string[] = []
  const none = (count: number, what: string) => count > 0 && lines.push(`${count} ${what}`)
  const within = (ms: number | null, bar: number | null | undefined, what: string) => {
    if (typeof bar === 'number' && ms !== null && ms > bar) {
      lines.push(`${what}: ${inSeconds(ms)}, the bar is ${bar / 1000} s`)
    }
  }
  within(facts.gapMs, bars.gapMs, 'time without a 250')
  if (bars.unnoticed) {
    none(facts.refused, 'refused')
    none(facts.turnedAway, 'connections turned away')
    none(facts.connectFailures, 'connections that could not be made')
    none(facts.lostConnections, 'connections lost')
  }
  if (!bars.duplicates) none(facts.duplicates, 'copies too many')
  within(facts.longestDeliveryMs, bars.deliveryMs, 'longest delivery')
  if (facts.accepted === 0) lines.push('nothing was accepted, so this shows nothing')
  return lines
}

/** A line for each promise that the mail of a load broke; `of` names the load. */
export function brokenPromises(verdict: Verdict, of: string): string[] {
  const { judgement, why, lost, altered, unexpected } = verdict
  const counted = [
    [lost, 'lost'],
    [altered, 'altered'],
    [unexpected, 'arrived though refused or never sent'],
  ] as const
  const lines = counted.filter(([count]) => count > 0).map(([count, what]) => `${of}: ${count} ${what}`)
  if (judgement === 'sound' || lines.length > 0) return lines
  return (why.length > 0 ? why : ['no reason given']).map((reason) => `${of}: ${judgement}: ${reason}`)
}

export function inSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`
}
