// The ledger: set arithmetic over what was attempted, what the clients were told, what arrived and what is still queued. Pure.
//
// For every recipient of every message, with a = tries answered 250 and u = tries whose fate the client never learned:
//   unexpected  it arrived although nobody sent it, or although every try was refused
//   altered     it arrived with another content than the one that was sent
//   duplicate   it arrived more than a + u times (a bounce counts as an arrival)
//   missing     it arrived fewer than a times
// Every missing copy is either still queued or lost. "Don't know" is never "failed": a try of unknown fate allows a copy and
// demands none, and where the queue cannot be asked, missing copies are undecided and not lost.

import type { Arrival, Attempt } from './history.ts'

export interface Account {
  readonly accepted: number
  readonly unknown: number
  readonly refused: number
  readonly delivered: number
  readonly bounced: number
  readonly altered: number
}

export interface Ledger {
  /** All counts are of recipients or copies, one per message and recipient, not of messages. */
  readonly accepted: number
  readonly refused: number
  readonly unknown: number
  readonly delivered: number
  readonly bounced: number
  readonly queued: number | null
  readonly lost: number
  /** Missing copies that may be in a queue nobody could ask. */
  readonly undecided: number
  readonly duplicates: number
  readonly unexpected: number
  readonly altered: number
  /** Some recipients for whom something is wrong, for who has to find out why. */
  readonly examples: { readonly [fault in 'missing' | 'duplicate' | 'unexpected' | 'altered']: readonly string[] }
}

const EXAMPLES = 10

/** `queued` = how many recipients the queue still holds, or null when it could not be asked. */
export function reconcile(attempts: readonly Attempt[], arrivals: readonly Arrival[], queued: number | null): Ledger {
  return ledgerOf(accountsOf(attempts, arrivals), queued)
}

/** The same over accounts that were kept as things happened. */
export function ledgerOf(accounts: Iterable<readonly [string, Account]>, queued: number | null): Ledger {
  const sum = {
    accepted: 0,
    refused: 0,
    unknown: 0,
    delivered: 0,
    bounced: 0,
    duplicates: 0,
    unexpected: 0,
    altered: 0,
  }
  const examples = {
    missing: [] as string[],
    duplicate: [] as string[],
    unexpected: [] as string[],
    altered: [] as string[],
  }
  const note = (list: string[], recipient: string) => list.length < EXAMPLES && list.push(recipient)
  let missing = 0
  for (const [recipient, account] of accounts) {
    const arrived = account.delivered + account.bounced
    const allowed = account.accepted + account.unknown
    sum.accepted += account.accepted
    sum.unknown += account.unknown
    sum.refused += account.refused
    sum.bounced += account.bounced
    sum.altered += account.altered
    if (account.altered > 0) note(examples.altered, recipient)
    if (allowed === 0) {
      sum.unexpected += arrived
      if (arrived > 0) note(examples.unexpected, recipient)
      continue
    }
    sum.delivered += account.delivered
    if (arrived > allowed) {
      sum.duplicates += arrived - allowed
      note(examples.duplicate, recipient)
    }
    if (arrived < account.accepted) {
      missing += account.accepted - arrived
      note(examples.missing, recipient)
    }
  }
  const lost = queued === null ? 0 : Math.max(0, missing - queued)
  return { ...sum, queued, lost, undecided: queued === null ? missing : 0, examples }
}

/** What is known about each recipient; an arrival for somebody who was never a recipient opens an account too. */
export function accountsOf(attempts: readonly Attempt[], arrivals: readonly Arrival[]): Map<string, Account> {
  const accounts = new Map<string, { -readonly [key in keyof Account]: number }>()
  const digests = new Map<string, string>()
  const open = (recipient: string) => {
    const known = accounts.get(recipient)
    if (known !== undefined) return known
    const made = { accepted: 0, unknown: 0, refused: 0, delivered: 0, bounced: 0, altered: 0 }
    accounts.set(recipient, made)
    return made
  }
  for (const { recipients, told, digest } of attempts) {
    for (const recipient of recipients) {
      open(recipient)[told]++
      digests.set(recipient, digest)
    }
  }
  for (const { kind, recipient, digest } of arrivals) {
    const account = open(recipient)
    if (kind === 'bounce') account.bounced++
    else account.delivered++
    const sent = digests.get(recipient)
    if (kind === 'mail' && sent !== undefined && digest !== sent) account.altered++
  }
  return accounts
}

/** How many accepted copies have not arrived in any way. */
export function missingOf(attempts: readonly Attempt[], arrivals: readonly Arrival[]): number {
  let missing = 0
  for (const account of accountsOf(attempts, arrivals).values()) {
    missing += Math.max(0, account.accepted - account.delivered - account.bounced)
  }
  return missing
}

export type Judgement = 'sound' | 'faulty' | 'undecided'

/** Duplicates are no fault here: where they may happen they are counted by the relay, and the caller compares. */
export function judge(ledger: Ledger): Judgement {
  if (ledger.lost > 0 || ledger.unexpected > 0 || ledger.altered > 0) return 'faulty'
  return ledger.undecided > 0 ? 'undecided' : 'sound'
}
