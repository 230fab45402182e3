// Which promises a run broke and which bars it missed. Pure.

import type { FaultResult } from './result.ts'

/** How long the normal rate may take to come back after the last heal. */
export const RECOVERY_MS = 10_000

type Judged = Omit<FaultResult, 'failures' | 'missedBars'>

/** Promises that do not depend on time: what is wrong with the mail. */
export function brokenPromises(result: Judged, strayBounces: number): string[] {
  const { bars, events } = result
  if (bars.losses === true) {
    return result.lost + result.undecided > 0 ? [] : ['nothing was lost, so this test could not have shown a loss']
  }
  const failures: string[] = []
  const none = (count: number, what: string) => count > 0 && failures.push(`${count} ${what}`)
  none(result.lost, 'lost')
  none(result.altered, 'altered')
  none(result.unexpected, 'arrived though refused or never sent')
  none(result.undecided, 'undecided: the queue could not be asked')
  none(result.queued ?? 0, 'still queued in the end')
  none(strayBounces, 'bounced though no script asked for it')
  if (!bars.duplicates) none(result.duplicates, 'arrived twice though no delivery node, link or site was hit')
  none(unexplained(result, 'duplicate'), 'duplicates that nothing explains')
  none(unexplained(result, 'near miss'), 'counted possible duplicates that nothing explains')
  none(Math.max(0, result.duplicates - countedOrExplained(result)), 'duplicates that were not counted')
  none(events.missing, 'accepted recipients without a final event')
  none(events.doubled, 'recipients with two final events')
  none(events.contradicted, 'events that contradict what arrived')
  none(events.untold, 'acceptances and ends of which no event tells')
  none(events.toldTwice, 'ends that two events tell')
  return failures
}

function unexplained(result: Judged, is: 'duplicate' | 'near miss'): number {
  return result.explanations.filter((explanation) => explanation.is === is && explanation.why === null).length
}

function countedOrExplained(result: Judged): number {
  return Math.max(
    result.possibleDuplicates,
    result.explanations.filter(({ is, why }) => is === 'duplicate' && why !== null).length,
  )
}

export function missedBars(result: Judged): string[] {
  const { bars } = result
  const missed: string[] = []
  if (bars.losses === true) return missed
  const over = (value: number | null, bar: number, what: string) => {
    if (value === null) missed.push(`${what}: never`)
    else if (value > bar) missed.push(`${what}: ${value} ms, the bar is ${bar} ms`)
  }
  if (bars.gapMs !== null) over(result.longestAcceptGapMs, bars.gapMs, 'time without an acceptance')
  if (bars.takeoverMs !== undefined) over(result.takeoverMs, bars.takeoverMs, 'mail was held up')
  over(result.recoveryMs, bars.recoveryMs ?? RECOVERY_MS, 'normal rate after the last heal')
  return missed
}

export function passed(result: Pick<FaultResult, 'failures' | 'missedBars'>): boolean {
  return result.failures.length === 0 && result.missedBars.length === 0
}
