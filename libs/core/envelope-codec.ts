/**
 * The envelope of a record as compact JSON: short keys, defaults left out (docs/wire-format.md has the table). Keys that
 * this version does not know are kept in `Envelope.newer` and written again when the record is copied, so that
 * a newer node's facts survive an older owner.
 */
import { packNumbers, unpackNumbers } from './number-list.ts'
import type {
  AcceptanceFacts,
  AttemptState,
  BodyReference,
  ContentFacts,
  Envelope,
  Recipient,
  Report,
} from './record.ts'
import {
  asCount,
  asFields,
  asList,
  asText,
  countOrZero,
  malformed,
  optionalText,
  parseJson,
  type Fields,
} from './wire-error.ts'

const KNOWN = new Set('i f r b u e v t s o k n x c S p w a h'.split(' '))

const EIGHT_BIT = 1
const EIGHT_BIT_HEADER = 2
const DOT_LINES = 4
const ENDS_WITH_CRLF = 8

type Json = Record<string, unknown>

export function stringifyEnvelope(envelope: Envelope): string {
  const json: Json = {
    i: envelope.id,
    f: envelope.from,
    r: packRecipients(envelope.recipients),
    t: envelope.acceptedAt,
  }
  if (envelope.body8bit) json['b'] = 1
  if (envelope.smtputf8) json['u'] = 1
  if (envelope.ret !== undefined) json['e'] = envelope.ret
  if (envelope.envid !== undefined) json['v'] = envelope.envid
  if (envelope.storedAt !== 0) json['s'] = envelope.storedAt
  if (envelope.origin !== 0) json['o'] = envelope.origin
  if (envelope.batch !== undefined) json['k'] = envelope.batch
  const { attempts, facts, body, accepted } = envelope
  if (attempts.count !== 0 || attempts.lastReply !== undefined || attempts.lastHost !== undefined || attempts.warned) {
    json['n'] = packAttempts(attempts)
  }
  json['x'] = [facts.size, flagsOf(facts), facts.longestLine]
  if (body !== undefined) json['c'] = [body.id, body.chunks, body.size, body.sha256]
  if (envelope.suspect) json['S'] = 1
  if (envelope.report !== undefined) json['p'] = packReport(envelope.report)
  if (envelope.traceparent !== undefined) json['w'] = envelope.traceparent
  if (accepted !== undefined) {
    const { node: n, client: c, role: r, user: u, tls: t, messageId: m } = accepted
    json['a'] = { n, c, r, u, t, m } // undefined ones are left out by JSON
  }
  if (envelope.helo !== undefined) json['h'] = envelope.helo
  if (envelope.newer !== undefined) for (const key in envelope.newer) json[key] ??= envelope.newer[key]
  return JSON.stringify(json)
}

export function parseEnvelope(text: string): Envelope {
  const json = asFields(parseJson(text, 'envelope'), 'envelope')
  const envelope: { -readonly [K in keyof Envelope]: Envelope[K] } = {
    id: asText(json['i'], 'envelope.id'),
    from: asText(json['f'], 'envelope.from'),
    recipients: asList(json['r'], 'envelope.recipients').map(unpackRecipient),
    acceptedAt: asCount(json['t'], 'envelope.acceptedAt'),
    storedAt: countOrZero(json['s'], 'envelope.storedAt'),
    origin: countOrZero(json['o'], 'envelope.origin'),
    attempts: json['n'] === undefined ? NO_ATTEMPTS : unpackAttempts(json['n']),
    facts: unpackFacts(json['x']),
  }
  if (json['b'] === 1) envelope.body8bit = true
  if (json['u'] === 1) envelope.smtputf8 = true
  if (json['e'] !== undefined) envelope.ret = asRet(json['e'])
  if (json['v'] !== undefined) envelope.envid = asText(json['v'], 'envelope.envid')
  if (json['k'] !== undefined) envelope.batch = asText(json['k'], 'envelope.batch')
  if (json['c'] !== undefined) envelope.body = unpackBody(json['c'])
  if (json['S'] === 1) envelope.suspect = true
  if (json['p'] !== undefined) envelope.report = unpackReport(json['p'], 'envelope.report')
  if (json['w'] !== undefined) envelope.traceparent = asText(json['w'], 'envelope.traceparent')
  if (json['a'] !== undefined) envelope.accepted = unpackAccepted(json['a'])
  if (json['h'] !== undefined) envelope.helo = asText(json['h'], 'envelope.helo')
  const newer = unknownFields(json)
  if (newer !== undefined) envelope.newer = newer
  return envelope
}

function unknownFields(json: Fields): Fields | undefined {
  let newer: Json | undefined
  for (const key in json) if (!KNOWN.has(key)) (newer ??= {})[key] = json[key]
  return newer
}

/** An address alone stands for a recipient whose index is its position and who has no DSN parameters. */
function packRecipients(recipients: readonly Recipient[]): unknown[] {
  const packed: unknown[] = new Array(recipients.length)
  for (let position = 0; position < recipients.length; position++) {
    const recipient = recipients[position] as Recipient
    const plain = recipient.index === position && recipient.notify === undefined && recipient.orcpt === undefined
    packed[position] = plain
      ? recipient.address
      : { a: recipient.address, i: recipient.index, n: recipient.notify, o: recipient.orcpt }
  }
  return packed
}

function unpackRecipient(value: unknown, position: number): Recipient {
  if (typeof value === 'string') return { address: value, index: position }
  const json = asFields(value, 'recipient')
  const orcpt = optionalText(json['o'], 'recipient.orcpt')
  return {
    address: asText(json['a'], 'recipient.address'),
    index: asCount(json['i'], 'recipient.index'),
    ...(json['n'] === undefined
      ? {}
      : { notify: asList(json['n'], 'recipient.notify').map((word) => asText(word, 'recipient.notify')) }),
    ...(orcpt === undefined ? {} : { orcpt }),
  }
}

const NO_ATTEMPTS: AttemptState = Object.freeze({ count: 0 })

function packAttempts(attempts: AttemptState): Json {
  return { c: attempts.count, r: attempts.lastReply, h: attempts.lastHost, w: attempts.warned ? 1 : undefined }
}

function unpackAttempts(value: unknown): AttemptState {
  const json = asFields(value, 'envelope.attempts')
  const lastReply = optionalText(json['r'], 'attempts.lastReply')
  const lastHost = optionalText(json['h'], 'attempts.lastHost')
  return {
    count: asCount(json['c'], 'attempts.count'),
    ...(lastReply === undefined ? {} : { lastReply }),
    ...(lastHost === undefined ? {} : { lastHost }),
    ...(json['w'] === 1 ? { warned: true } : {}),
  }
}

function flagsOf(facts: ContentFacts): number {
  return (
    (facts.eightBit ? EIGHT_BIT : 0) |
    (facts.eightBitHeader ? EIGHT_BIT_HEADER : 0) |
    (facts.dotLines ? DOT_LINES : 0) |
    (facts.endsWithCrlf ? ENDS_WITH_CRLF : 0)
  )
}

function unpackFacts(value: unknown): ContentFacts {
  const list = asList(value, 'envelope.facts')
  const flags = asCount(list[1], 'facts.flags')
  return {
    size: asCount(list[0], 'facts.size'),
    eightBit: (flags & EIGHT_BIT) !== 0,
    eightBitHeader: (flags & EIGHT_BIT_HEADER) !== 0,
    dotLines: (flags & DOT_LINES) !== 0,
    longestLine: asCount(list[2], 'facts.longestLine'),
    endsWithCrlf: (flags & ENDS_WITH_CRLF) !== 0,
  }
}

function asRet(value: unknown): 'FULL' | 'HDRS' {
  return value === 'FULL' || value === 'HDRS' ? value : malformed('envelope.ret is neither FULL nor HDRS')
}

function unpackBody(value: unknown): BodyReference {
  const list = asList(value, 'envelope.body')
  return {
    id: asText(list[0], 'body.id'),
    chunks: asCount(list[1], 'body.chunks'),
    size: asCount(list[2], 'body.size'),
    sha256: asText(list[3], 'body.sha256'),
  }
}

export function packReport(report: Report): unknown[] {
  return [report.record, packNumbers(report.recipients)]
}

export function unpackReport(value: unknown, what: string): Report {
  const list = asList(value, what)
  return { record: asText(list[0], `${what}.record`), recipients: unpackNumbers(list[1], `${what}.recipients`) }
}

function unpackAccepted(value: unknown): AcceptanceFacts {
  const json = asFields(value, 'envelope.accepted')
  const user = optionalText(json['u'], 'accepted.user')
  const tls = optionalText(json['t'], 'accepted.tls')
  const messageId = optionalText(json['m'], 'accepted.messageId')
  return {
    node: asText(json['n'], 'accepted.node'),
    client: asText(json['c'], 'accepted.client'),
    role: asText(json['r'], 'accepted.role'),
    ...(user === undefined ? {} : { user }),
    ...(tls === undefined ? {} : { tls }),
    ...(messageId === undefined ? {} : { messageId }),
  }
}
