// The lines that the contents of a load are made of: meant to be hard to carry unchanged. They begin with dots, or are only
// dots, or 998 octets long, empty, 8-bit, with blanks at the end.

import { stuffLines } from './dot-stuffing.ts'
import { integerBetween, pick, type Random } from './random.ts'

export interface Lines {
  readonly each: readonly Buffer[]
  /** All of them, as they are and as they go over the wire: a large message is made of these. */
  readonly whole: { readonly content: Buffer; readonly wire: Buffer }
}

export interface Corpus {
  readonly plain: Lines
  readonly eightBit: Lines
}

const CORPUS_LINES = 4096
const corpora = new WeakMap<Random, Corpus>()

/** That of this chance, made when it is asked for first. */
export function corpusOf(random: Random): Corpus {
  const known = corpora.get(random)
  if (known !== undefined) return known
  const made = { plain: linesOf(random, false), eightBit: linesOf(random, true) }
  corpora.set(random, made)
  return made
}

function linesOf(random: Random, eightBit: boolean): Lines {
  const each = Array.from({ length: CORPUS_LINES }, () => Buffer.from(lineOf(random, eightBit) + '\r\n', 'utf8'))
  const content = Buffer.concat(each)
  return { each, whole: { content, wire: stuffLines(content) } }
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
