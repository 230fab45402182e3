// The times of one run: how long nothing was accepted, how long mail in flight took, when the normal rate was back. Pure.

import type { Arrival, Attempt } from '../history.ts'
import { longestGap, round } from '../statistics.ts'
import type { Mark } from './fault.ts'
import type { FaultResult } from './result.ts'

export interface ToMeasure {
  readonly attempts: readonly Attempt[]
  readonly arrivals: readonly Arrival[]
  readonly marks: readonly Mark[]
  /** When the load began and ended. */
  readonly startedAt: number
  readonly endedAt: number
}

export type Measures = Pick<
  FaultResult,
  'faultMs' | 'longestAcceptGapMs' | 'takeoverMs' | 'recoveryMs' | 'normalRate' | 'timeline'
>

/** Until then connections are made and programs warm up. */
const WARM_UP_MS = 2000
const WINDOW_MS = 2000
const BIN_MS = 100
const ENOUGH = 0.8

export function measure(run: ToMeasure): Measures {
  const { marks, startedAt, endedAt } = run
  const hitAt = marks.find(({ kind }) => kind === 'hit')?.at
  const healedAt = marks.findLast(({ kind }) => kind === 'heal')?.at
  const accepted = run.attempts.filter(({ told }) => told === 'accepted')
  const first = firstArrivals(run.arrivals)
  const acceptances = accepted.map(({ endedAt: at }): Event => ({ at, weight: 1 }))
  const rates = [acceptances, deliveries(accepted, first)].map((events) => new Rate(events, startedAt, endedAt))
  const before = { from: startedAt + WARM_UP_MS, to: hitAt ?? endedAt }
  if (before.to - before.from < WARM_UP_MS / 2) before.from = startedAt
  const normal = rates.map((rate) => rate.between(before.from, before.to))
  return {
    faultMs: hitAt === undefined ? 0 : round((healedAt ?? endedAt) - hitAt),
    longestAcceptGapMs: round(
      longestGap(
        acceptances.map(({ at }) => at),
        startedAt,
        endedAt,
      ),
    ),
    takeoverMs: hitAt === undefined ? 0 : takeover(hitAt, healedAt ?? endedAt, accepted, first),
    recoveryMs: hitAt === undefined ? 0 : healedAt === undefined ? null : recovery(healedAt, endedAt, rates, normal),
    normalRate: round(normal[0] ?? 0, 1),
    timeline: {
      startedAt,
      ...perSecond(startedAt, {
        accepted: acceptances.map(({ at }) => at),
        delivered: run.arrivals.filter(({ kind }) => kind === 'mail').map(({ at }) => at),
      }),
    },
  }
}

interface Event {
  readonly at: number
  readonly weight: number
}

function firstArrivals(arrivals: readonly Arrival[]): Map<string, number> {
  const first = new Map<string, number>()
  for (const { recipient, at } of arrivals) first.set(recipient, Math.min(at, first.get(recipient) ?? Infinity))
  return first
}

/** A recipient counts as its share of the message: else one message for two hundred would be a burst. */
function deliveries(accepted: readonly Attempt[], first: ReadonlyMap<string, number>): Event[] {
  return accepted.flatMap(({ recipients }) => {
    return recipients.flatMap((recipient): Event[] => {
      const at = first.get(recipient)
      return at === undefined ? [] : [{ at, weight: 1 / recipients.length }]
    })
  })
}

/**
 * The longest that mail was held up: of what was on its way at the hit, from then on; of what was accepted until the heal, from
 * its acceptance on. Null when some has not arrived.
 */
function takeover(
  hitAt: number,
  healedAt: number,
  accepted: readonly Attempt[],
  first: ReadonlyMap<string, number>,
): number | null {
  let longest = 0
  for (const { endedAt, recipients } of accepted) {
    if (endedAt > healedAt) continue
    const since = Math.max(hitAt, endedAt)
    for (const recipient of recipients) longest = Math.max(longest, (first.get(recipient) ?? Infinity) - since)
  }
  return longest === Infinity ? null : round(longest)
}

/** Windows slide by bins; the rate is back when it is enough from then on for another window, or until the load ended. */
function recovery(healedAt: number, endedAt: number, rates: readonly Rate[], normal: readonly number[]): number | null {
  const isEnough = (from: number) =>
    rates.every((rate, index) => rate.between(from, from + WINDOW_MS) >= ENOUGH * (normal[index] ?? 0))
  const last = endedAt - WINDOW_MS
  let since: number | undefined
  for (let from = healedAt; from <= last; from += BIN_MS) {
    if (!isEnough(from)) since = undefined
    else if (from - (since ??= from) >= WINDOW_MS) break
  }
  return since === undefined ? null : round(since - healedAt)
}

/** Events per second between any two times of the run, to the nearest bin. */
class Rate {
  readonly #startedAt: number
  /** How many events lie before each bin. */
  readonly #before: Float64Array

  constructor(events: readonly Event[], startedAt: number, endedAt: number) {
    this.#startedAt = startedAt
    const bins = Math.max(0, Math.ceil((endedAt - startedAt) / BIN_MS))
    this.#before = new Float64Array(bins + 1)
    for (const { at, weight } of events) {
      const bin = Math.floor((at - startedAt) / BIN_MS)
      if (bin >= 0 && bin < bins) this.#before[bin + 1] = (this.#before[bin + 1] ?? 0) + weight
    }
    for (let bin = 1; bin <= bins; bin++) this.#before[bin] = (this.#before[bin] ?? 0) + (this.#before[bin - 1] ?? 0)
  }

  between(from: number, to: number): number {
    const [first, last] = [this.#bin(from), this.#bin(to)]
    if (last <= first) return 0
    return (((this.#before[last] ?? 0) - (this.#before[first] ?? 0)) * 1000) / ((last - first) * BIN_MS)
  }

  #bin(at: number): number {
    return Math.min(Math.max(0, Math.round((at - this.#startedAt) / BIN_MS)), this.#before.length - 1)
  }
}

/** Counts of each second, all as long as the longest. */
function perSecond<Name extends string>(
  startedAt: number,
  times: Readonly<Record<Name, readonly number[]>>,
): Record<Name, number[]> {
  const secondOf = (at: number) => Math.max(0, Math.floor((at - startedAt) / 1000))
  const names = Object.keys(times) as Name[]
  const last = names.reduce((most, name) => times[name].reduce((late, at) => Math.max(late, secondOf(at)), most), -1)
  const counted = names.map((name) => {
    const counts = Array<number>(last + 1).fill(0)
    for (const at of times[name]) counts[secondOf(at)] = (counts[secondOf(at)] ?? 0) + 1
    return [name, counts] as const
  })
  return Object.fromEntries(counted) as Record<Name, number[]>
}
