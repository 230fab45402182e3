/**
 * What the owner of a partition asks of the world. The machine (owner.ts) only ever appends effects to its list; the
 * shell carries them out, one try each, and reports the answer with the machine's method of the same name. An effect
 * whose answer never comes because the process died is nobody's problem; a live shell answers every one.
 */
import type { Closing, EntryHeader, Told } from '../entry.ts'
import type { Lease } from '../lease.ts'
import type { MailRecord } from '../record.ts'
import type { OpenBatch } from './open-batch.ts'

/** One reading of both clocks, ms. They may drift apart; the machine believes whichever ran further. */
export interface Moment {
  readonly mono: number
  readonly wall: number
}

export type OwnerEffect =
  /** -> leaseRead(read, at) */
  | { readonly do: 'read-lease' }
  /** -> leaseWritten(id, answer) */
  | { readonly do: 'write-lease'; readonly lease: Lease; readonly expected: number }
  /** -> entryWritten(id, answer). `records` is the payload of a `.later` entry. */
  | {
      readonly do: 'write-entry'
      readonly id: string
      readonly kind: 'outcome' | 'later'
      readonly header: EntryHeader
      readonly records: readonly MailRecord[]
    }
  /** No answer wanted. */
  | { readonly do: 'write-late'; readonly header: EntryHeader }
  /** -> logEntry(seq, header, size) for each, then logScanned(through, done, storedAt) */
  | { readonly do: 'scan-log'; readonly through: number; readonly from: number; readonly sinceMs: number }
  /** -> mailRead(from, batches | undefined if unanswered) */
  | { readonly do: 'read-mail'; readonly from: number; readonly maxBytes: number }
  /** -> laterRead(seq, batch | 'none' | undefined if unanswered) */
  | { readonly do: 'read-later'; readonly seq: number }
  /** -> mailPurged(before, done) */
  | { readonly do: 'purge-mail'; readonly before: number }
  /** -> laterDeleted(seq, done) */
  | { readonly do: 'delete-later'; readonly seq: number }
  /** -> bodyPurged(body, done) */
  | { readonly do: 'purge-body'; readonly body: string }
  /** -> bodiesListed(bodies | undefined if unanswered). Those of which needsBody() is true may be left out. */
  | { readonly do: 'list-bodies' }
  /** -> nudge(seq), if it is stored. A batch without tasks: who has read it has read everything before it. */
  | { readonly do: 'mark-mail'; readonly id: string; readonly records: readonly MailRecord[] }
  /** Old entries that only readers want; if there is little room, also younger ones up to `latest`. -> logTrimmed(below) */
  | { readonly do: 'trim-log'; readonly before: number; readonly olderThan: number; readonly latest: number }
  /** These positions of the record are ready to be run: begin(), then mayFinish() at the dot, then close(). */
  | {
      readonly do: 'give'
      readonly batch: OpenBatch
      readonly record: number
      readonly positions: readonly number[]
      readonly suspect: boolean
    }
  /** Everything given so far is no longer ours: it must not reach its dot and closes nothing. */
  | { readonly do: 'revoke' }
  /** Tasks were begun that a dead owner may have delivered: recipients by their index in the accepted message. */
  | {
      readonly do: 'possible-duplicate'
      readonly id: string
      readonly recipients: readonly number[]
      readonly traceparent?: string
    }
  /** For logs and metrics. */
  | { readonly do: 'swept'; readonly bodies: number; readonly bytes: number }
  | { readonly do: 'phase'; readonly phase: Phase; readonly why: string }
  /** There is no room in the log to repeat this for readers, who may never hear of it. */
  | { readonly do: 'not-told'; readonly told: readonly Told[] }
  /** An outcome could not be stored under this lease and was handed to `.late`. */
  | { readonly do: 'too-late'; readonly closing: Closing }

/** `following`: somebody else's, or nobody's; `claiming`: a claim is on its way; `scanning`: it is ours, the log is read. */
export type Phase = 'following' | 'claiming' | 'scanning' | 'owning' | 'releasing' | 'stopped'

/** A batch as the shell read and decoded it. */
export interface ReadBatch {
  readonly seq: number
  readonly storedAt: number
  /** Its Nats-Msg-Id; '' for a `.later` batch. */
  readonly id: string
  readonly records: readonly MailRecord[]
  readonly bytes: number
}

/** A body as it was found in the body stream; chunks may be missing, as a replica may lag. */
export interface ListedBody {
  readonly id: string
  readonly chunks: number
  readonly bytes: number
  /** Server time of its newest chunk, ms. */
  readonly newestAt: number
}
