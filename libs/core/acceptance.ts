/** The facts of an acceptance, from the envelope that the edge made, as the log keeps them for readers. */
import type { AcceptedFacts, AcceptedMessage } from './entry.ts'
import type { Envelope } from './record.ts'
import { textSize } from './text-table.ts'

/** Addresses of one part of a message with very many recipients, in bytes as they are written at most. */
const MOST_TO = 16 * 1024

/** Undefined: nobody has said how it was accepted. */
export function acceptedFacts(envelope: Envelope): AcceptedFacts | undefined {
  const { accepted, helo, facts, recipients, acceptedAt, traceparent } = envelope
  if (accepted === undefined) return undefined
  const { node, client, role, user, tls, messageId } = accepted
  const { size } = facts
  const all: { -readonly [K in keyof AcceptedFacts]: AcceptedFacts[K] } = {
    node,
    client,
    role,
    size,
    recipients: recipients.length,
    acceptedAt,
  }
  if (user !== undefined) all.user = user
  if (tls !== undefined) all.tls = tls
  if (messageId !== undefined) all.messageId = messageId
  if (helo !== undefined && helo !== '') all.helo = helo
  if (traceparent !== undefined) all.traceparent = traceparent
  return all
}

/** What an edge tells of a message: in several parts if it has very many recipients. */
export function acceptedMessages(envelope: Envelope): AcceptedMessage[] {
  const facts = acceptedFacts(envelope)
  if (facts === undefined) return []
  const { id, from, recipients } = envelope
  const parts: AcceptedMessage[] = []
  let to: string[] = []
  let size = 0
  let first = 0
  for (const [index, { address }] of recipients.entries()) {
    const more = textSize(address)
    if (size + more > MOST_TO && to.length > 0) {
      parts.push({ id, from, to, first, facts })
      to = []
      size = 0
      first = index
    }
    to.push(address)
    size += more
  }
  parts.push({ id, from, to, first, facts })
  return parts
}
