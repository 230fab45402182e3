/**
 * What the metrics say of all destinations, found in one pass: with a hundred thousand of them every further one would cost
 * milliseconds in which no mail moves.
 */
import { Largest } from '@posthouse/runtime/metrics/top'
import type { Lane } from './lane.ts'
import { MOST_SHOWN } from './metrics.ts'

export interface Census {
  /** Jobs that wait for a connection. */
  readonly ready: number
  /** Destinations left alone for a while. */
  readonly backedOff: number
  /** Those with the most connections, and with the most waiting jobs. */
  readonly connections: Largest
  readonly waiting: Largest
}

/** `now`: monotonic, ms. */
export function takeCensus(lanes: Iterable<Lane>, now: number): Census {
  const connections = new Largest(MOST_SHOWN)
  const waiting = new Largest(MOST_SHOWN)
  let ready = 0
  let backedOff = 0
  for (const lane of lanes) {
    const { key, readySize, connections: open } = lane
    ready += readySize
    if (lane.isBackingOff(now)) backedOff += 1
    if (open > 0) connections.offer(key, open)
    if (readySize > 0) waiting.offer(key, readySize)
  }
  return { ready, backedOff, connections, waiting }
}
