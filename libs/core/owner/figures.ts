/** What an owner says of its partition to whoever watches the queue. */
import type { Backlog } from '../lease.ts'
import type { Holdings } from './holdings.ts'

export interface Figures extends Backlog {
  /** Recipients that are being tried now; among `ready` or `later`. */
  readonly inFlight: number
  /** Server time, ms, at which the oldest open message was first stored; 0: nothing is open. */
  readonly oldestAt: number
  /** Of the destinations for which the most recipients wait: name, recipients, and `oldestAt`. */
  readonly destinations: readonly (readonly [string, number, number])[]
}

const MOST_DESTINATIONS = 30

/** Walks over all `.later` entries: for every few seconds. */
export function figuresOf(holdings: Holdings, backlog: Backlog, inFlight: number): Figures {
  const { window, laters } = holdings
  let oldestAt = Infinity
  const destinations = new Map<string, [string, number, number]>()
  for (const { destination, recipients, oldest } of laters.all()) {
    if (oldest < oldestAt) oldestAt = oldest
    const one = destinations.get(destination)
    if (one === undefined) destinations.set(destination, [destination, recipients, oldest])
    else {
      one[1] += recipients
      if (oldest < one[2]) one[2] = oldest
    }
  }
  for (const { storedAt } of window.open) if (storedAt < oldestAt) oldestAt = storedAt
  if (oldestAt === Infinity) oldestAt = backlog.ready > 0 ? window.floorTime : 0
  const largest = [...destinations.values()].sort((a, b) => b[1] - a[1]).slice(0, MOST_DESTINATIONS)
  return { ...backlog, inFlight, oldestAt, destinations: largest }
}
