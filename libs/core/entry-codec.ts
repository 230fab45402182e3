/**
 * The header of a log entry as the value of one NATS header: JSON in printable ASCII, so that a reader of headers only sees
 * which tasks an entry closes and what it carries on. The positional part of a closing never changes, whatever the
 * version: an older node must be able to tell from an unknown entry what it closes. docs/wire-format.md has the table.
 */
import { closingSize, packClosing, unpackClosing } from './closing-codec.ts'
import type { EntryHeader, Later, SuccessorHead, Told } from './entry.ts'
import { packReport, unpackReport } from './envelope-codec.ts'
import { headerValue, reportSize, textAt, textSize, TextTable } from './text-table.ts'
import { asCount, asFields, asList, asText, forReaders, optionalText, parseJson } from './wire-error.ts'

/** What an entry costs without its closings and heads, at most: versions, writer, lease, due time, destination. */
export const ENTRY_OVERHEAD = 1024
export const ENTRY_VERSION = 1
const STATE_LETTERS = { deferred: 'f', parked: 'p', held: 'h' } as const
const STATES = new Map<unknown, Later['state']>(
  Object.entries(STATE_LETTERS).map(([state, letter]) => [letter, state as Later['state']]),
)

export function encodeEntry(header: EntryHeader): string {
  const table = new TextTable()
  const c = header.closes.map((closing) => packClosing(closing, table))
  const l = header.later && packLater(header.later, table)
  const h = header.told?.map((told) => packTold(told, table))
  const { node: n, lease: e, name: w } = header
  return headerValue({ v: ENTRY_VERSION, n, e, w, t: table.texts, c, l, h })
}

export function decodeEntry(value: string): EntryHeader {
  const json = asFields(parseJson(value, 'entry'), 'entry')
  const texts = asList(json['t'], 'entry.texts')
  const header = {
    node: asText(json['n'], 'entry.node'),
    lease: asCount(json['e'], 'entry.lease'),
    closes: asList(json['c'], 'entry.closes').map((closing) => unpackClosing(closing, texts)),
  }
  const name = forReaders(() => optionalText(json['w'], 'entry.name'))
  const told = forReaders(() => optionalTold(json['h'], texts))
  return {
    ...header,
    ...(name === undefined ? {} : { name }),
    ...(json['l'] === undefined ? {} : { later: unpackLater(json['l'], texts) }),
    ...(told === undefined ? {} : { told }),
  }
}

/** Bytes that what is told of one closing adds to an entry, at most. */
export function toldSize({ closing, bounce }: Told): number {
  return 50 + closingSize(closing) + (bounce === undefined ? 0 : textSize(bounce))
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

function packTold({ later, closing, due, bounce }: Told, table: TextTable): unknown[] {
  const packed = [later, due, packClosing(closing, table)]
  return bounce === undefined ? packed : [...packed, bounce]
}

function optionalTold(value: unknown, texts: readonly unknown[]): Told[] | undefined {
  return value === undefined ? undefined : asList(value, 'entry.told').map((told) => unpackTold(told, texts))
}

function unpackTold(value: unknown, texts: readonly unknown[]): Told {
  const list = asList(value, 'told')
  const bounce = optionalText(list[3], 'told.bounce')
  return {
    later: asCount(list[0], 'told.later'),
    due: asCount(list[1], 'told.due'),
    closing: unpackClosing(list[2], texts),
    ...(bounce === undefined ? {} : { bounce }),
  }
}

function packLater(later: Later, table: TextTable): Record<string, unknown> {
  return {
    d: later.due,
    n: later.destination,
    s: STATE_LETTERS[later.state],
    r: later.records.map((head) => packHead(head, table)),
    o: later.oldest,
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
    ...(json['o'] === undefined ? {} : { oldest: asCount(json['o'], 'later.oldest') }),
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
