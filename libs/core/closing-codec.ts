/** One closing in the header of a log entry: a list whose places never change, and an object to which more may be added. */
import { acceptedFactsSize, packAccepted, unpackAccepted } from './accepted-codec.ts'
import type { Closing } from './entry.ts'
import { packReport, unpackReport } from './envelope-codec.ts'
import { packNumbers, unpackNumbers, type PackedNumbers } from './number-list.ts'
import type { AttemptFacts, How } from './outcome.ts'
import { cut, listSize, reportSize, textAt, textSize, textsSize, type TextTable } from './text-table.ts'
import { asCount, asFields, asList, asText, forReaders, malformed, optionalText } from './wire-error.ts'

/** Replies of remote servers are kept for readers, not for the protocol. */
export const MAX_REPLY = 200
const MAX_HOST = 120

const HOW_LETTERS: Readonly<Record<How, string>> = {
  delivered: 'd',
  deferred: 'f',
  parked: 'p',
  held: 'h',
  bounced: 'b',
  expired: 'e',
  discarded: 'x',
}
const HOWS = new Map<unknown, How>(Object.entries(HOW_LETTERS).map(([how, letter]) => [letter, how as How]))

/**
 * Bytes that one closing adds to an entry, at most. Add them up with `successorSize` and ENTRY_OVERHEAD and stay within
 * MAX_ENTRY_HEADER.
 */
export function closingSize(closing: Closing): number {
  const { facts, report } = closing
  return (
    100 + // punctuation, keys, sequences, counts
    listSize(closing.positions) +
    listSize(closing.indexes) +
    textSize(closing.id) +
    textSize(closing.batch) +
    (closing.body === undefined ? 0 : textSize(closing.body)) +
    (facts.reply === undefined ? 0 : textSize(cut(facts.reply, MAX_REPLY))) +
    (facts.host === undefined ? 0 : textSize(cut(facts.host, MAX_HOST))) +
    (facts.tls === undefined ? 0 : textSize(cut(facts.tls, MAX_HOST))) +
    (report === undefined ? 0 : reportSize(report.record, report.recipients)) +
    (closing.from === undefined ? 0 : 4 + textSize(closing.from)) +
    (closing.to === undefined ? 0 : 6 + textsSize(closing.to)) +
    (closing.all === undefined ? 0 : 6 + textsSize(closing.all)) +
    (closing.accepted === undefined ? 0 : 4 + acceptedFactsSize(closing.accepted))
  )
}

type PackedClosing = (string | number | PackedNumbers | Record<string, unknown>)[]

export function packClosing(closing: Closing, table: TextTable): PackedClosing {
  const { facts } = closing
  const sameIndexes =
    closing.indexes.length === closing.positions.length &&
    closing.indexes.every((index, at) => index === closing.positions[at])
  const packed: PackedClosing = [
    closing.stream === 'mail' ? 0 : 1,
    closing.seq,
    closing.record,
    packNumbers(closing.positions),
    closing.how === 'unknown' ? '?' : HOW_LETTERS[closing.how],
    closing.id,
    sameIndexes ? 0 : packNumbers(closing.indexes),
    closing.stream === 'mail' && closing.origin === closing.seq ? 0 : closing.origin,
    table.number(closing.batch),
    closing.attempt,
  ]
  const more: Record<string, unknown> = {}
  if (facts.reply !== undefined) more['m'] = cut(facts.reply, MAX_REPLY)
  if (facts.host !== undefined) more['h'] = table.number(cut(facts.host, MAX_HOST))
  if (facts.tls !== undefined) more['s'] = table.number(cut(facts.tls, MAX_HOST))
  if (facts.ms !== undefined) more['d'] = Math.round(facts.ms)
  if (closing.body !== undefined) more['b'] = closing.body
  if (closing.report !== undefined) more['r'] = packReport(closing.report)
  if (closing.at !== undefined) more['w'] = closing.at
  if (closing.from !== undefined) more['f'] = table.number(closing.from)
  if (closing.to !== undefined) more['t'] = closing.to
  if (closing.all !== undefined) more['k'] = closing.all
  if (closing.accepted !== undefined) more['a'] = packAccepted(closing.accepted, table)
  if (closing.possibleDuplicate) more['p'] = 1
  for (const _ in more) {
    packed.push(more)
    break
  }
  return packed
}

export function unpackClosing(value: unknown, texts: readonly unknown[]): Closing {
  const list = asList(value, 'closing')
  const stream = list[0] === 0 ? 'mail' : list[0] === 1 ? 'later' : malformed('closing.stream is neither 0 nor 1')
  const seq = asCount(list[1], 'closing.seq')
  const positions = unpackNumbers(list[3], 'closing.positions')
  const origin = asCount(list[7], 'closing.origin')
  const more = list[10] === undefined ? {} : asFields(list[10], 'closing.more')
  const body = optionalText(more['b'], 'closing.body')
  return {
    stream,
    seq,
    record: asCount(list[2], 'closing.record'),
    positions,
    how: HOWS.get(list[4]) ?? 'unknown',
    id: asText(list[5], 'closing.id'),
    indexes: list[6] === 0 ? positions : unpackNumbers(list[6], 'closing.indexes'),
    origin: stream === 'mail' && origin === 0 ? seq : origin,
    batch: textAt(texts, list[8], 'closing.batch'),
    attempt: asCount(list[9], 'closing.attempt'),
    facts: unpackFacts(more, texts),
    ...(body === undefined ? {} : { body }),
    ...(more['r'] === undefined ? {} : { report: unpackReport(more['r'], 'closing.report') }),
    ...forReaders(() => unpackForReaders(more, texts)),
  }
}

function unpackForReaders(
  more: Readonly<Record<string, unknown>>,
  texts: readonly unknown[],
): Pick<Closing, 'at' | 'from' | 'to' | 'all' | 'accepted' | 'possibleDuplicate'> {
  return {
    ...(more['w'] === undefined ? {} : { at: asCount(more['w'], 'closing.at') }),
    ...(more['f'] === undefined ? {} : { from: textAt(texts, more['f'], 'closing.from') }),
    ...(more['t'] === undefined ? {} : { to: asTexts(more['t'], 'closing.to') }),
    ...(more['k'] === undefined ? {} : { all: asTexts(more['k'], 'closing.all') }),
    ...(more['a'] === undefined ? {} : { accepted: unpackAccepted(more['a'], texts) }),
    ...(more['p'] === 1 ? { possibleDuplicate: true } : {}),
  }
}

function unpackFacts(more: Readonly<Record<string, unknown>>, texts: readonly unknown[]): AttemptFacts {
  const reply = optionalText(more['m'], 'facts.reply')
  return {
    ...(reply === undefined ? {} : { reply }),
    ...(more['h'] === undefined ? {} : { host: textAt(texts, more['h'], 'facts.host') }),
    ...(more['s'] === undefined ? {} : { tls: textAt(texts, more['s'], 'facts.tls') }),
    ...(more['d'] === undefined ? {} : { ms: asCount(more['d'], 'facts.ms') }),
  }
}

const asTexts = (value: unknown, what: string) => asList(value, what).map((text) => asText(text, what))
