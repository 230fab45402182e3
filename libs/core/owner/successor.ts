/** The record that goes on when tasks are deferred, parked or bounced, and its head for the entry. */
import type { SuccessorHead } from '../entry.ts'
import type { Outcome } from '../outcome.ts'
import type { Envelope, MailRecord } from '../record.ts'
import type { OpenBatch } from './open-batch.ts'

/** MAIL sequence the message came with. */
export function originOf(batch: OpenBatch, envelope: Envelope): number {
  return batch.stream === 'mail' ? batch.seq : envelope.origin
}
export function batchIdOf(batch: OpenBatch, envelope: Envelope): string {
  return batch.stream === 'mail' ? batch.id : (envelope.batch ?? '')
}
/** Server time at which the message was first stored, ms. */
export function storedAtOf(batch: OpenBatch, envelope: Envelope): number {
  return envelope.storedAt === 0 ? batch.storedAt : envelope.storedAt
}

/** The same message for the recipients at these positions, with what the attempt came to. */
export function successorOf(
  batch: OpenBatch,
  record: number,
  positions: readonly number[],
  outcome: Extract<Outcome, { how: 'deferred' | 'parked' }>,
  suspect: boolean,
): MailRecord {
  const { envelope, content } = batch.records[record]!
  const { suspect: _, ...kept } = envelope
  const all = positions.length === envelope.recipients.length
  const { reply, host } = outcome.how === 'deferred' ? outcome.facts : {}
  return {
    envelope: {
      ...kept,
      recipients: all ? envelope.recipients : positions.map((position) => envelope.recipients[position]!),
      storedAt: storedAtOf(batch, envelope),
      origin: originOf(batch, envelope),
      batch: batchIdOf(batch, envelope),
      attempts:
        outcome.how === 'deferred'
          ? {
              ...envelope.attempts,
              count: envelope.attempts.count + 1,
              ...(reply === undefined ? {} : { lastReply: reply }),
              ...(host === undefined ? {} : { lastHost: host }),
            }
          : envelope.attempts,
      ...(suspect ? { suspect: true } : {}),
    },
    content,
  }
}

/**
 * A bounce is a new message, its age counts from its own storing. It names the MAIL batch of the message it reports: the
 * `.later` entry that carries it is deleted in the end, and then the entry that closes the bounce is all that is left to
 * tell a repeat of that batch.
 */
export function bounceOf(record: MailRecord, origin: number, batch: string): MailRecord {
  return { envelope: { ...record.envelope, origin, batch, storedAt: 0 }, content: record.content }
}

export function headOf({ envelope }: MailRecord): SuccessorHead {
  const { id, origin, batch, recipients, body, suspect, report } = envelope
  return {
    id,
    origin,
    batch: batch ?? '',
    recipients: recipients.length,
    ...(body === undefined ? {} : { body: body.id }),
    ...(suspect ? { suspect } : {}),
    ...(report === undefined ? {} : { report }),
  }
}
