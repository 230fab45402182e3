// The messages of a load: each has an id, recipients that carry it, and the digest of its content. The content is meant to be
// hard to carry unchanged: lines that begin with dots, lines of only dots, of 998 octets, with 8-bit text, with blanks at
// the end, empty ones, and sometimes a Received field of an earlier hop on top.

import { createHash } from 'node:crypto'
import { corpusOf, type Corpus, type Lines } from './corpus.ts'
import { FINAL_DOT, stuffLines } from './dot-stuffing.ts'
import { integerBetween, type Random } from './random.ts'

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
  /** What the contents are made of; absent: made once for each chance. */
  readonly corpus?: Corpus
}

export function digestOf(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex')
}

/** The recipient of a message: its address names the message, so that a sink knows whose mail it holds. */
export function recipientOf(id: string, index: number, domain: string, prefix = ''): string {
  return `${prefix}${id}.${index}@${domain}`
}

/** Of an address without a prefix, which message it names; undefined if none. */
export function messageOf(recipient: string): string | undefined {
  return /^([^@]+)\.\d+@/.exec(recipient)?.[1]
}

export function composeMessage(id: string, how: Composing): Message {
  const { random } = how
  const eightBit = random() < 0.5
  const recipients = Array.from({ length: how.recipients }, (_, index) =>
    recipientOf(id, index, inTurn(how.domain, index), inTurn(how.prefix ?? '', index)),
  )
  const head = header(id, how, recipients[0] ?? '', eightBit, random() < 0.125)
  const size = how.size ?? mixedSize(random)
  const lines = (how.corpus ?? corpusOf(random))[eightBit ? 'eightBit' : 'plain']
  const hash = createHash('sha256')
  const wire: Buffer[] = []
  let octets = 0
  for (const part of contentOf(head, size, lines, random)) {
    hash.update(part.content)
    octets += part.content.length
    wire.push(part.wire)
  }
  return {
    id,
    sender: how.sender,
    recipients,
    digest: hash.digest('hex'),
    size: octets,
    eightBit,
    wire: Buffer.concat([...wire, FINAL_DOT]),
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

/** Whole lines, as they are and as they go over the wire. */
interface Part {
  readonly content: Buffer
  readonly wire: Buffer
}

/** The header and so many lines of the corpus, from anywhere in it, as it takes; all of it at once where it fits in. */
function contentOf(head: Buffer, size: number, lines: Lines, random: Random): Part[] {
  const first = Math.floor(random() * lines.each.length)
  const begin = linesFor(size - head.length, lines.each.slice(first))
  const parts = [partOf([head, ...begin.taken])]
  let left = begin.left
  for (const { whole } = lines; left >= whole.content.length; left -= whole.content.length) parts.push(whole)
  const end = linesFor(left, lines.each)
  return end.taken.length === 0 ? parts : [...parts, partOf(end.taken)]
}

function linesFor(octets: number, lines: readonly Buffer[]): { readonly taken: Buffer[]; readonly left: number } {
  const taken: Buffer[] = []
  let left = octets
  for (const line of lines) {
    if (left <= 0) break
    taken.push(line)
    left -= line.length
  }
  return { taken, left }
}

function partOf(lines: readonly Buffer[]): Part {
  const content = Buffer.concat(lines)
  return { content, wire: stuffLines(content) }
}
