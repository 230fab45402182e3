/** Facts of acceptances in the log: those that edges append, and those that closings repeat (docs/wire-format.md). */
import type { AcceptedFacts, AcceptedMessage } from './entry.ts'
import { cut, headerValue, textAt, textSize, textsSize, TextTable } from './text-table.ts'
import { asCount, asFields, asList, asText, optionalText, parseJson } from './wire-error.ts'

export const ACCEPTED_VERSION = 1
/** What an `.accepted` entry costs without its messages. */
export const ACCEPTED_OVERHEAD = 64
/** What clients say of themselves and their messages is cut to so many characters. */
const MAX_FACT = 250

/** The header of an `.accepted` entry. Throws a WireError if it is over MAX_ENTRY_HEADER. */
export function encodeAccepted(messages: readonly AcceptedMessage[]): string {
  const table = new TextTable()
  const m = messages.map(({ id, from, to, first, facts }) => [
    id,
    table.number(from),
    to,
    first,
    packAccepted(facts, table),
  ])
  return headerValue({ v: ACCEPTED_VERSION, t: table.texts, m })
}

export function decodeAccepted(value: string): AcceptedMessage[] {
  const json = asFields(parseJson(value, 'accepted'), 'accepted')
  const texts = asList(json['t'], 'accepted.texts')
  return asList(json['m'], 'accepted.messages').map((message) => {
    const list = asList(message, 'accepted.message')
    return {
      id: asText(list[0], 'accepted.id'),
      from: textAt(texts, list[1], 'accepted.from'),
      to: asList(list[2], 'accepted.to').map((to) => asText(to, 'accepted.to')),
      first: asCount(list[3], 'accepted.first'),
      facts: unpackAccepted(list[4], texts),
    }
  })
}

/** Bytes that one message adds to an `.accepted` entry, at most. */
export function acceptedSize({ id, from, to, facts }: AcceptedMessage): number {
  return 25 + textSize(id) + textSize(from) + textsSize(to) + acceptedFactsSize(facts)
}

/** Bytes that the facts add to an entry, at most. */
export function acceptedFactsSize(facts: AcceptedFacts): number {
  let size = 75 // punctuation, time, size
  const { node, client, role, user, tls, helo, messageId, traceparent } = facts
  for (const text of [node, client, role, user, tls, helo, messageId, traceparent])
    if (text !== undefined) size += 4 + textSize(cut(text, MAX_FACT))
  return size
}

/** What repeats from message to message goes into the table. */
export function packAccepted(facts: AcceptedFacts, table: TextTable): Record<string, unknown> {
  const { node, client, role, user, tls, helo, messageId, traceparent, size, recipients, acceptedAt } = facts
  const number = (text: string | undefined) => (text === undefined ? undefined : table.number(cut(text, MAX_FACT)))
  return {
    n: number(node),
    c: number(client),
    r: number(role),
    u: number(user),
    s: number(tls),
    h: number(helo),
    m: messageId && cut(messageId, MAX_FACT),
    x: traceparent && cut(traceparent, MAX_FACT),
    z: size,
    k: recipients,
    t: acceptedAt,
  }
}

export function unpackAccepted(value: unknown, texts: readonly unknown[]): AcceptedFacts {
  const json = asFields(value, 'accepted facts')
  const text = (key: string) => textAt(texts, json[key], `accepted.${key}`)
  const messageId = optionalText(json['m'], 'accepted.m')
  const traceparent = optionalText(json['x'], 'accepted.x')
  return {
    node: text('n'),
    client: text('c'),
    role: text('r'),
    size: asCount(json['z'], 'accepted.z'),
    recipients: asCount(json['k'], 'accepted.k'),
    acceptedAt: asCount(json['t'], 'accepted.t'),
    ...(json['u'] === undefined ? {} : { user: text('u') }),
    ...(json['s'] === undefined ? {} : { tls: text('s') }),
    ...(json['h'] === undefined ? {} : { helo: text('h') }),
    ...(messageId === undefined ? {} : { messageId }),
    ...(traceparent === undefined ? {} : { traceparent }),
  }
}
