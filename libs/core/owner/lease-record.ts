/**
 * What the lease records of an owner say. A claim, and every lease until the log is read, repeats its predecessor's floor, R
 * and suspects, with its word on what may be begun folded into them: a takeover that dies itself loses nothing. Only an
 * owner that has read the log speaks for itself.
 */
import type { Backlog, Lease, Suspects } from '../lease.ts'
import type { Moment } from './effect.ts'
import type { Holdings } from './holdings.ts'
import { TIMES, type Rules } from './rules.ts'

/** Nobody has ever owned the partition. */
export const NO_LEASE: Lease = {
  id: '',
  node: '',
  name: '',
  time: 0,
  floor: 1,
  floorTime: 0,
  r: 1,
  mayBegin: { mail: 0, due: 0 },
  suspects: { mail: 0, log: 0, due: 0 },
  backlog: { ready: 0, later: 0, bytes: 0 },
  released: true,
}

/** Who writes it, and with which try. */
export type LeaseSigner = Pick<Lease, 'id' | 'node' | 'name'>

/**
 * What the predecessor and its predecessors may have begun. `seq`: our own first lease, up to which entries of the
 * predecessor may lie; 0 while it is not known.
 */
export function foldedSuspects({ suspects, mayBegin, released }: Lease, seq: number, rules: Rules): Suspects {
  if (released || !rules.suspects) return suspects
  return {
    mail: Math.max(suspects.mail, mayBegin.mail),
    due: Math.max(suspects.due, mayBegin.due),
    log: Math.max(suspects.log, seq),
  }
}

/** The lease of one that has not read the log: nothing may be begun by it. */
export function takeoverLease(signer: LeaseSigner, predecessor: Lease, suspects: Suspects, released: boolean): Lease {
  const { floor, floorTime, r, trimmed, backlog } = predecessor
  const mayBegin = { mail: 0, due: 0 }
  const lease = { ...signer, time: TIMES.lease, released, floor, floorTime, r, backlog, suspects, mayBegin }
  return trimmed === undefined ? lease : { ...lease, trimmed }
}

/**
 * The lease of an owner. `free`: an entry not known yet can only lie at or above it; `rate`: batches of MAIL read from one
 * renewal to the next; `trimmed`: entries below that only readers want may be gone.
 */
export function ownersLease(
  signer: LeaseSigner,
  previous: Lease,
  holdings: Holdings,
  facts: {
    readonly free: number
    readonly rate: number
    readonly backlog: Backlog
    readonly trimmed: number
    readonly released: boolean
  },
  now: Moment,
): Lease {
  const { free, rate, backlog, trimmed, released } = facts
  const { window, suspects } = holdings
  return {
    ...signer,
    time: TIMES.lease,
    released,
    floor: window.floor,
    floorTime: window.floorTime,
    r: Math.max(previous.r, holdings.r(free)),
    trimmed: Math.max(previous.trimmed ?? 1, trimmed),
    mayBegin: {
      mail: Math.max(previous.mayBegin.mail, window.next - 1 + Math.ceil(16 + 1.5 * rate)),
      due: Math.max(previous.mayBegin.due, Math.floor(now.wall) + 2 * TIMES.renewEvery),
    },
    suspects,
    backlog,
  }
}
