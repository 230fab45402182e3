// What the ledger of a remote load comes to. Pure.
//
// As long as the load runs, or what was accepted has not been waited for, what is missing is undecided. After a drain that was not
// broken off it is lost, but for what the caller says that the queue still holds. A fate that no client learned is never a loss.
// Nothing here refuses mail for good, so that a bounce is as wrong as an alteration.

import { judge, type Judgement, type Ledger } from '../ledger.ts'
import type { MessageCounts } from './book.ts'
import type { PhaseSummary } from './phase-summary.ts'

export interface Drained {
  readonly complete: boolean
  /** ISO 8601. */
  readonly at: string
  readonly seconds: number
}

export interface Verdict {
  readonly judgement: Judgement
  /** Why it is not sound. */
  readonly why: readonly string[]
  readonly run: string
  readonly startedAt: string
  readonly lost: number
  readonly altered: number
  readonly unexpected: number
  readonly bounced: number
  readonly duplicates: number
  /** Second copies of messages that a client rightly sent again: their fate was unknown. */
  readonly legalDuplicates: number
  readonly unknown: number
  readonly undecided: number
  readonly recipients: Ledger
  readonly messages: MessageCounts
  /** Copies of mail of earlier runs, which this one cannot judge. */
  readonly ofOtherRuns: number
  /** Null: there was no drain that went to its end. */
  readonly drained: Drained | null
  readonly phases: readonly PhaseSummary[]
}

export type Evidence = Omit<
  Verdict,
  'judgement' | 'why' | 'lost' | 'altered' | 'unexpected' | 'bounced' | 'duplicates' | 'unknown' | 'undecided'
> & {
  readonly isRunning: boolean
  /** What broke the load itself. */
  readonly trouble?: string
}

export function verdictOf({ isRunning, trouble, ...evidence }: Evidence): Verdict {
  const { recipients, messages } = evidence
  const { lost, altered, unexpected, bounced, duplicates, unknown, undecided } = recipients
  const faults = [
    [lost, 'accepted and not arrived'],
    [altered, 'altered'],
    [unexpected, 'arrived though refused or never sent'],
    [bounced, 'bounced'],
  ] as const
  const wrong = faults.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`)
  const open: string[] = []
  if (trouble !== undefined) open.push(`the load broke off: ${trouble}`)
  if (isRunning) open.push('the load is still running')
  if (messages.accepted === 0) open.push('nothing was accepted')
  if (undecided > 0) open.push(`${undecided} have not arrived yet, and no drain has waited for them`)
  const faulty = wrong.length > 0 || judge(recipients) === 'faulty'
  return {
    judgement: faulty ? 'faulty' : open.length > 0 ? 'undecided' : 'sound',
    why: [...wrong, ...open],
    lost,
    altered,
    unexpected,
    bounced,
    duplicates,
    unknown,
    undecided,
    ...evidence,
  }
}
