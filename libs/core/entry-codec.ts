/**
 * The header of a log entry as the value of one NATS header: JSON in printable ASCII, so that a reader of headers only sees
 * which tasks an entry closes and what it carries on. The positional part of a closing never changes, whatever the
 * version: an older node must be able to tell from an unknown entry what it closes. docs/wire-format.md has the table.
 */
import type { Closing, EntryHeader, Later, SuccessorHead } from './entry.ts'
import { packReport, unpackReport } from './envelope-codec.ts'
import { packNumbers, unpackNumbers, type PackedNumbers } from './number-list.ts'
import type { AttemptFacts, How } from './outcome.ts'
import { asCount, asFields, asList, asText, malformed, optionalText, parseJson, WireError } from './wire-error.ts'

/** The servers allow 64 KiB for all headers of a message. */
export const MAX_ENTRY_HEADER = 48 * 1024
/** What an entry costs without its closings and heads, at most: versions, writer, lease, due time, destination. */
export const ENTRY_OVERHEAD = 1024
export const ENTRY_VERSION = 1
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

const STATE_LETTERS = { deferred: 'f', parked: 'p', held: 'h' } as const
const STATES = new Map<unknown, Later['state']>(
  Object.entries(STATE_LETTERS).map(([state, letter]) => [letter, state as Later['state']]),
)

/** Texts that repeat within an entry (batch ids, hosts) are written once and named by their number. */
class TextTable {
  readonly texts: string[] = []
  readonly #numbers = new Map<string, number>()

  number(text: string): number {
    const known = this.#numbers.get(text)
    if (known !== undefined) return known
    this.#numbers.set(text, this.texts.length)
    return this.texts.push(text) - 1
  }
}

export function encodeEntry(header: EntryHeader): string {
  const table = new TextTable()
  const c = header.closes.map((closing) => packClosing(closing, table))
  const l = header.later && packLater(header.later, table)
  const value = toAscii(JSON.stringify({ v: ENTRY_VERSION, n: header.node, e: header.lease, t: table.texts, c, l }))
  if (value.length > MAX_ENTRY_HEADER) {
    throw new WireError(
      'too-large',
      `an entry's header of ${value.length} bytes is over the limit of ${MAX_ENTRY_HEADER}`,
    )
  }
  return value
}

export function decodeEntry(value: string): EntryHeader {
  const json = asFields(parseJson(value, 'entry'), 'entry')
  const texts = asList(json['t'], 'entry.texts')
  const header = {
    node: asText(json['n'], 'entry.node'),
    lease: asCount(json['e'], 'entry.lease'),
    closes: asList(json['c'], 'entry.closes').map((closing) => unpackClosing(closing, texts)),
  }
  return json['l'] === undefined ? header : { ...header, later: unpackLater(json['l'], texts) }
}

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
    (report === undefined ? 0 : reportSize(report.record, report.recipients))
  )
}

/** Bytes that the head of one carried record adds to an entry, at most. */
export function successorSize(head: SuccessorHead): number {
  return (
    70 +
    textSize(head.id) +
    textSize(head.batch) +
    (head.body === undefined ? 0 : textSize(head.body)) +
    (head.report === undefined ? 0 : reportSize(head.report.record, head.report.recipients))
  )
}

const reportSize = (record: string, recipients: readonly number[]) => 10 + textSize(record) + listSize(recipients)
const listSize = (numbers: readonly number[]) =>
  numbers.length === 1 ? 20 : 4 + JSON.stringify(packNumbers(numbers)).length
/** With quotes, comma and the number that stands for it where it is used. */
const textSize = (text: string) => (PLAIN.test(text) ? text.length : toAscii(JSON.stringify(text)).length) + 10
const PLAIN = /^[ !#-[\]-~]*$/

type PackedClosing = (string | number | PackedNumbers | Record<string, unknown>)[]

function packClosing(closing: Closing, table: TextTable): PackedClosing {
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
  for (const _ in more) {
    packed.push(more)
    break
  }
  return packed
}

function unpackClosing(value: unknown, texts: readonly unknown[]): Closing {
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

function packLater(later: Later, table: TextTable): Record<string, unknown> {
  return {
    d: later.due,
    n: later.destination,
    s: STATE_LETTERS[later.state],
    r: later.records.map((head) => packHead(head, table)),
  }
}

function packHead(head: SuccessorHead, table: TextTable): (string | number | Record<string, unknown>)[] {
  const packed: (string | number | Record<string, unknown>)[] = [
    head.id,
    head.origin,
    table.number(head.batch),
    head.recipients,
  ]
  if (head.body !== undefined || head.suspect || head.report !== undefined) {
    packed.push({ b: head.body, s: head.suspect ? 1 : undefined, r: head.report && packReport(head.report) })
  }
  return packed
}

function unpackLater(value: unknown, texts: readonly unknown[]): Later {
  const json = asFields(value, 'later')
  return {
    due: asCount(json['d'], 'later.due'),
    destination: asText(json['n'], 'later.destination'),
    // A state of a newer version waits like a deferral: its tasks are never forgotten.
    state: STATES.get(json['s']) ?? 'deferred',
    records: asList(json['r'], 'later.records').map((head) => unpackHead(head, texts)),
  }
}

function unpackHead(value: unknown, texts: readonly unknown[]): SuccessorHead {
  const list = asList(value, 'successor')
  const more = list[4] === undefined ? {} : asFields(list[4], 'successor.more')
  const body = optionalText(more['b'], 'successor.body')
  return {
    id: asText(list[0], 'successor.id'),
    origin: asCount(list[1], 'successor.origin'),
    batch: textAt(texts, list[2], 'successor.batch'),
    recipients: asCount(list[3], 'successor.recipients'),
    ...(body === undefined ? {} : { body }),
    ...(more['s'] === 1 ? { suspect: true } : {}),
    ...(more['r'] === undefined ? {} : { report: unpackReport(more['r'], 'successor.report') }),
  }
}

const textAt = (texts: readonly unknown[], number: unknown, what: string) => asText(texts[asCount(number, what)], what)

/** Cuts a text without leaving half a surrogate pair behind. */
function cut(text: string, length: number): string {
  if (text.length <= length) return text
  const last = text.charCodeAt(length - 1)
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? length - 1 : length)
}

/** JSON leaves only characters from U+007F on to be escaped. */
function toAscii(json: string): string {
  return json.replace(/[\u007f-\uffff]/g, (char) => '\\u' + char.charCodeAt(0).toString(16).padStart(4, '0'))
}
