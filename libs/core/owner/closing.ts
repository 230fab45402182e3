/** What an outcome comes to: the closing of its tasks, and the record that goes on, if any, on their way to the log. */
import { acceptedFacts } from '../acceptance.ts'
import type { Closing } from '../entry.ts'
import type { Outcome } from '../outcome.ts'
import { textsSize } from '../text-table.ts'
import type { OpenBatch } from './open-batch.ts'
import type { Outbox, Pending } from './outbox.ts'
import { batchIdOf, bounceOf, headOf, originOf, successorOf } from './successor.ts'

/** Addresses of very many recipients are left out, so that a closing always fits an entry. */
const MOST_TO = 28 * 1024
const MOST_ALL = 4 * 1024
/** So few addresses fit, however long they are (RFC 5321 4.5.3.1.3). */
const FEW = 8
const NO_FACTS = {}

/** `wall`: now; `suspect`: a dead owner may have sent it too. */
export function closingOf(
  batch: OpenBatch,
  record: number,
  positions: readonly number[],
  outcome: Outcome,
  wall: number,
  suspect: boolean,
): Closing {
  const { envelope } = batch.records[record]!
  const { recipients, body, report } = envelope
  const attempted = outcome.how !== 'parked'
  const to = positions.map((position) => recipients[position]!.address)
  // Field by field: this is made for every message, and spreading objects costs as much as all the rest.
  const closing: { -readonly [K in keyof Closing]: Closing[K] } = {
    stream: batch.stream,
    seq: batch.seq,
    record,
    positions,
    id: envelope.id,
    indexes: positions.map((position) => recipients[position]!.index),
    origin: originOf(batch, envelope),
    batch: batchIdOf(batch, envelope),
    how: outcome.how,
    attempt: envelope.attempts.count + (attempted ? 1 : 0),
    facts: outcome.how === 'parked' ? NO_FACTS : outcome.facts,
    at: Math.floor(wall),
    from: envelope.from,
  }
  if (body !== undefined) closing.body = body.id
  if (report !== undefined) closing.report = report
  if (positions.length < FEW || textsSize(to) <= MOST_TO) closing.to = to
  if (attempted && suspect) closing.possibleDuplicate = true
  // The first closing of a message out of MAIL repeats the facts of its acceptance, which the edge may not have told.
  if (batch.stream !== 'mail' || batch.isAcceptanceTold(record)) return closing
  const accepted = acceptedFacts(envelope)
  if (accepted === undefined) return closing
  closing.accepted = accepted
  if (positions.length === recipients.length) return closing
  const all = recipients.map(({ address }) => address)
  if (textsSize(all) <= MOST_ALL) closing.all = all
  return closing
}

/** `suspect`: a dead owner may have run some of these tasks, and no attempt of ours has; `wall`: now, for a bounce. */
export function post(outbox: Outbox, pending: Pending, outcome: Outcome, suspect: boolean, wall: number): void {
  const { batch, record, closing } = pending
  switch (outcome.how) {
    case 'deferred':
    case 'parked': {
      const next = successorOf(batch, record, closing.positions, outcome, suspect)
      outbox.successor(pending, outcome.how, outcome.destination, Math.ceil(outcome.due), headOf(next), next)
      return
    }
    case 'bounced':
    case 'expired': {
      const { bounce } = outcome
      if (bounce === undefined) {
        outbox.final(pending)
        return
      }
      const { envelope } = batch.records[record]!
      const next = bounceOf(bounce.record, originOf(batch, envelope), batchIdOf(batch, envelope))
      outbox.successor(pending, 'deferred', bounce.destination, Math.ceil(wall), headOf(next), next)
      return
    }
    default:
      outbox.final(pending)
  }
}
