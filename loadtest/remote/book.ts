// The ledger of a load that is still running: the account of every recipient, kept as things happen, in little memory (digests
// and counts, no contents). Accounts that say the same share one object.

import { randomBytes } from 'node:crypto'
import type { Arrival, Attempt } from '../history.ts'
import { ledgerOf, type Account, type Ledger } from '../ledger.ts'
import { messageOf, type Message } from '../message.ts'

/** What an arrival was. */
export interface Entry {
  readonly is: 'expected' | 'unexpected' | 'of another run'
  /** Which copy it is for this recipient, bounces counted: 1 = the first. */
  readonly copy: number
  readonly altered: boolean
  /** How long after the 250; undefined if it came before, or is not the first. */
  readonly afterMs: number | undefined
}

/** Counts of messages, each by what became of any of its recipients. */
export interface MessageCounts {
  readonly accepted: number
  /** The client never learned of an acceptance of any recipient, but it may have been one. */
  readonly unknown: number
  readonly delivered: number
  readonly missing: number
  readonly altered: number
  readonly duplicates: number
  readonly unexpected: number
}

type Field = keyof Account

const NOTHING: Account = { accepted: 0, unknown: 0, refused: 0, delivered: 0, bounced: 0, altered: 0 }

export class Book {
  /** Begins the id of every message. */
  readonly run: string
  readonly #digests = new Map<string, string>()
  /** In the order of the messages: recipients of one message lie side by side. */
  readonly #accounts = new Map<string, Account>()
  readonly #shared = new Map<string, Account>()
  /** Accepted and not arrived, in the order of their acceptance, with its time. */
  readonly #open = new Map<string, number>()
  #ofOtherRuns = 0

  constructor(run: string) {
    this.run = run
  }

  /** Recipients accepted of which nothing has arrived. */
  get open(): number {
    return this.#open.size
  }

  /** Copies of mail that an earlier run sent: this one cannot judge them. */
  get ofOtherRuns(): number {
    return this.#ofOtherRuns
  }

  /** Those of the open ones that are asked for: how many, and how long the oldest of them has waited, ms. */
  openOnes(now: number, asked: (recipient: string) => boolean): { readonly count: number; readonly oldestMs: number } {
    let count = 0
    let oldestMs = 0
    for (const [recipient, acceptedAt] of this.#open) {
      if (!asked(recipient)) continue
      if (count++ === 0) oldestMs = now - acceptedAt
    }
    return { count, oldestMs }
  }

  /** Whether something was sent to it, or has come for it. */
  knows(recipient: string): boolean {
    return this.#accounts.has(recipient)
  }

  /** Before it goes out for the first time. */
  sends({ id, digest, recipients }: Message): void {
    this.#digests.set(id, digest)
    for (const recipient of recipients) this.#accounts.set(recipient, NOTHING)
  }

  /** Answers with those recipients of a 250 that had arrived before it. */
  told({ recipients, told, endedAt }: Attempt): string[] {
    const early: string[] = []
    for (const recipient of recipients) {
      const { delivered, bounced } = this.#count(recipient, told)
      if (told !== 'accepted') continue
      if (delivered + bounced > 0) early.push(recipient)
      else this.#open.set(recipient, endedAt)
    }
    return early
  }

  arrived({ kind, recipient, digest, at }: Arrival): Entry {
    const id = messageOf(recipient)
    const sent = id === undefined ? undefined : this.#digests.get(id)
    const none = { copy: 1, altered: false, afterMs: undefined }
    if (!this.#accounts.has(recipient) && isOfAnotherRun(id, this.run)) {
      this.#ofOtherRuns++
      return { is: 'of another run', ...none }
    }
    const is = this.#accounts.has(recipient) ? 'expected' : 'unexpected'
    const { delivered, bounced } = this.#count(recipient, kind === 'bounce' ? 'bounced' : 'delivered')
    const altered = kind === 'mail' && is === 'expected' && digest !== sent
    if (altered) this.#count(recipient, 'altered')
    const acceptedAt = this.#open.get(recipient)
    this.#open.delete(recipient)
    const afterMs = acceptedAt === undefined ? undefined : Math.max(0, at - acceptedAt)
    return { is, copy: delivered + bounced, altered, afterMs }
  }

  /** How many copies came for it that no try accounts for. */
  surplusOf(recipient: string): number {
    return surplus(this.#accounts.get(recipient) ?? NOTHING)
  }

  ledger(queued: number | null): Ledger {
    return ledgerOf(this.#accounts, queued)
  }

  /** Copies that came in addition to the first, of messages that were rightly sent again. */
  legalDuplicates(): number {
    let legal = 0
    for (const { accepted, unknown, delivered, bounced } of this.#accounts.values()) {
      legal += Math.max(0, Math.min(accepted + unknown, delivered + bounced) - 1)
    }
    return legal
  }

  messages(): MessageCounts {
    const counts = { accepted: 0, unknown: 0, delivered: 0, missing: 0, altered: 0, duplicates: 0, unexpected: 0 }
    let current: string | undefined
    let all: Account[] = []
    const add = () => {
      const some = (holds: (account: Account) => boolean) => Number(all.some(holds))
      const accepted = some((account) => account.accepted > 0)
      const missing = some((account) => account.delivered + account.bounced < account.accepted)
      counts.accepted += accepted
      counts.missing += missing
      counts.delivered += accepted === 1 && missing === 0 ? 1 : 0
      counts.unknown += accepted === 1 ? 0 : some((account) => account.unknown > 0)
      counts.altered += some((account) => account.altered > 0)
      counts.duplicates += some((account) => surplus(account) > 0)
      counts.unexpected += some(isUnexpected)
    }
    for (const [recipient, account] of this.#accounts) {
      const id = messageOf(recipient) ?? recipient
      if (id !== current) {
        add()
        current = id
        all = []
      }
      all.push(account)
    }
    add()
    return counts
  }

  #count(recipient: string, field: Field): Account {
    const former = this.#accounts.get(recipient) ?? NOTHING
    const account = { ...former, [field]: former[field] + 1 }
    const key = Object.values(account).join()
    const shared = this.#shared.get(key) ?? account
    this.#shared.set(key, shared)
    this.#accounts.set(recipient, shared)
    return shared
  }
}

/** A name that no two runs share, and that tells the ids of all runs from others. */
export function newRun(): string {
  return `run${randomBytes(6).toString('hex')}`
}

function isOfAnotherRun(id: string | undefined, run: string): boolean {
  const other = /^(run[0-9a-f]{12})-\d+-\d+$/.exec(id ?? '')?.[1]
  return other !== undefined && other !== run
}

function isUnexpected({ accepted, unknown, delivered, bounced }: Account): boolean {
  return accepted + unknown === 0 && delivered + bounced > 0
}

function surplus(account: Account): number {
  if (isUnexpected(account)) return 0
  return Math.max(0, account.delivered + account.bounced - account.accepted - account.unknown)
}
