// The messages of a load: each has an id, recipients that carry it, and the digest of its content. The content is meant to be
// hard to carry unchanged: lines that begin with dots, lines of only dots, of 998 octets, with 8-bit text, with blanks at
// the end, empty ones, and sometimes a Received field of an earlier hop on top.

import { createHash } from 'node:crypto'
import { stuffDots } from './dot-stuffing.ts'
import { integerBetween, pick, type Random } from './random.ts'

export interface Message {
  readonly id: string
  readonly sender: string
  readonly recipients: readonly string[]
  /** SHA-256 of the content, in hexadecimal. */
  readonly digest: string
  readonly size: number
  readonly eightBit: boolean
  /** The content as it goes over the wire, dots stuffed, with the final dot. */
  readonly wire: Buffer
}

export interface Composing {
  readonly random: Random
  /** Octets of content, at least; null draws from a mix of small and large. */
  readonly size: number | null
  readonly recipients: number
  readonly sender: string
  /** Domain of the recipients; of several, they have one after the other in turn. */
  readonly domain: string | readonly string[]
  readonly date: Date
  /** Put before the local part of the recipients, for a sink that treats those otherwise; of several, in turn. */
  readonly prefix?: string | readonly string[]
}

const CORPUS_LINES = 4096
const corpora = new WeakMap<Random, { plain: Buffer[]; eightBit: Buffer[] }>()

export function digestOf(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex')
}

/** The recipient of a message: its address names the message, so that a sink knows whose mail it holds. */
export function recipientOf(id: string, index: number, domain: string, prefix = ''): string {
  return `${prefix}${id}.${index}@${domain}`
}

export function composeMessage(id: string, how: Composing): Message {
  const { random } = how
  const eightBit = random() < 0.5
  const recipients = Array.from({ length: how.recipients }, (_, index) =>
    recipientOf(id, index, inTurn(how.domain, index), inTurn(how.prefix ?? '', index)),
  )
  const head = header(id, how, recipients[0] ?? '', eightBit, random() < 0.125)
  const body = bodyOf(
    (how.size ?? mixedSize(random)) - head.length,
    corpusOf(random)[eightBit ? 'eightBit' : 'plain'],
    random,
  )
  const content = Buffer.concat([head, ...body])
  return {
    id,
    sender: how.sender,
    recipients,
    digest: digestOf(content),
    size: content.length,
    eightBit,
    wire: stuffDots(content),
  }
}

function inTurn(given: string | readonly string[], index: number): string {
  return typeof given === 'string' ? given : (given[index % given.length] ?? '')
}

/** Most mail is small: 1 to 32 KiB evenly over the orders of magnitude, and every 200th 300 KiB to 1 MiB. */
export function mixedSize(random: Random): number {
  if (random() < 1 / 200) return integerBetween(random, 300 * 1024, 1024 * 1024)
  return Math.round(1024 * 32 ** random())
}

function header(id: string, how: Composing, to: string, eightBit: boolean, relayedBefore: boolean): Buffer {
  const lines = relayedBefore
    ? [
        `Received: from first.example (first.example [192.0.2.1])`,
        `\tby second.example with ESMTP id ${id};`,
        `\t${how.date.toUTCString()}`,
      ]
    : []
  lines.push(
    `From: <${how.sender}>`,
    `To: <${to}>`,
    `Subject: load ${id}`,
    `Date: ${how.date.toUTCString().replace('GMT', '+0000')}`,
    `Message-ID: <${id}@load.example>`,
    `MIME-Version: 1.0`,
    `Content-Type: text/plain; charset=utf-8`,
    `Content-Transfer-Encoding: ${eightBit ? '8bit' : '7bit'}`,
    '',
    '',
  )
  return Buffer.from(lines.join('\r\n'), 'latin1')
}

function bodyOf(size: number, lines: readonly Buffer[], random: Random): Buffer[] {
  const body: Buffer[] = []
  let index = Math.floor(random() * lines.length)
  let octets = 0
  while (octets < size) {
    const line = lines[index++ % lines.length] as Buffer
    body.push(line)
    octets += line.length
  }
  return body
}

function corpusOf(random: Random): { plain: Buffer[]; eightBit: Buffer[] } {
  const known = corpora.get(random)
  if (known !== undefined) return known
  const made = { plain: linesOf(random, false), eightBit: linesOf(random, true) }
  corpora.set(random, made)
  return made
}

function linesOf(random: Random, eightBit: boolean): Buffer[] {
  return Array.from({ length: CORPUS_LINES }, () => Buffer.from(lineOf(random, eightBit) + '\r\n', 'utf8'))
}

function lineOf(random: Random, eightBit: boolean): string {
  const text = words(random, eightBit, integerBetween(random, 1, 12))
  const kind = random()
  if (kind < 0.04) return `.${text}`
  if (kind < 0.06) return '.'.repeat(integerBetween(random, 1, 5))
  if (kind < 0.07) return `.. ${text}`
  if (kind < 0.08) return words(random, false, 400).slice(0, 998)
  if (kind < 0.12) return ''
  if (kind < 0.15) return `${text} \t `
  if (kind < 0.17) return `\t${text}`
  if (kind < 0.18) return `From ${text}`
  return text
}

const SYLLABLES = [
  'ka',
  'ro',
  'min',
  'tel',
  'sa',
  'vor',
  'el',
  'un',
  'qui',
  'da',
  'posth',
  'ouse',
  '=20',
  '&',
  '%00',
  '<x>',
]
const FOREIGN = ['grüße', 'ñandú', '邮件', 'почта', '😀', 'ærø']

function words(random: Random, eightBit: boolean, count: number): string {
  const parts: string[] = []
  for (let word = 0; word < count; word++) {
    parts.push(eightBit && random() < 0.2 ? pick(random, FOREIGN) : pick(random, SYLLABLES) + pick(random, SYLLABLES))
  }
  return parts.join(' ')
}
