// The mail of a remote load, drawn from a seed: mostly small, some of some hundred KiB, a few of some MiB; to one recipient or up
// to fifty.

import type { Corpus } from '../corpus.ts'
import { composeMessage, mixedSize, type Message } from '../message.ts'
import { integerBetween, type Random } from '../random.ts'

export interface Mailing {
  /** Begins the ids, which no other mailing may use. */
  readonly prefix: string
  readonly random: Random
  readonly corpus: Corpus
  readonly sender: string
  /** Of the recipients. */
  readonly domain: string
  /** Octets of the largest message. */
  readonly largest: number
}

const KIB = 1024
const MIB = 1024 * KIB
const MOST_RECIPIENTS = 50
/** What is rare comes early once, so that a short run has it too. */
const EARLY = { large: 8, manyRecipients: 16 }

/** Composes the next message each time; its contents are made of `corpus`. */
export function mailOf({ prefix, domain, largest, ...how }: Mailing): () => Message {
  const { random } = how
  let turn = 0
  return () => {
    turn++
    const size = sizeOf(random, largest, turn === EARLY.large)
    const recipients = recipientsOf(random, size, turn === EARLY.manyRecipients)
    return composeMessage(`${prefix}-${turn}`, { ...how, size, recipients, domain, date: new Date() })
  }
}

function sizeOf(random: Random, largest: number, isLarge: boolean): number {
  // A composed message is at most one line longer than it was asked to be.
  const most = largest - 1000
  const kind = random()
  if (isLarge || kind < 0.004) return between(random, Math.min(MIB, most), most)
  if (kind < 0.08) return between(random, Math.min(32 * KIB, most), Math.min(512 * KIB, most))
  return Math.min(mixedSize(random), most)
}

/** Evenly over the orders of magnitude. */
function between(random: Random, least: number, most: number): number {
  return Math.round(least * (most / least) ** random())
}

function recipientsOf(random: Random, size: number, many: boolean): number {
  const kind = random()
  if (many) return MOST_RECIPIENTS
  if (size > MIB) return kind < 0.2 ? 3 : 1
  if (kind < 0.01) return integerBetween(random, 11, MOST_RECIPIENTS)
  return kind < 0.15 ? integerBetween(random, 2, 10) : 1
}
