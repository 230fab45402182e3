// The load under which things break: clients of several kinds at once, with a mix of mail like that of a large site, drawn
// from a seed. Each kind draws from a chance of its own, so that what it sends does not depend on how fast the others are.

import { corpusOf, type Corpus } from '../corpus.ts'
import { startCrowd } from '../crowd.ts'
import type { Attempt } from '../history.ts'
import { composeMessage, mixedSize, type Message } from '../message.ts'
import { integerBetween, pick, seededRandom, type Random } from '../random.ts'
import type { Sending, Sent } from '../sender.ts'
import type { Patience, Target } from '../smtp-client.ts'
import { REFUSED_PREFIX } from './start-sites.ts'

export type Role = 'relay' | 'submission' | 'submissions'

export interface MixedLoadOptions {
  readonly targets: (role: Role) => readonly Target[]
  /** Of the recipients. */
  readonly domains: readonly string[]
  /** Address that the user of the submission targets may send as. */
  readonly userAddress: string
  readonly random: Random
  /** Messages per second, all clients together; 0 = as fast as they are taken. */
  readonly rate: number
  readonly sessions: number
  /** Octets of the largest message. */
  readonly largest: number
  readonly record: (attempt: Attempt) => void
  readonly signal?: AbortSignal
  readonly patience?: Patience
}

export interface MixedLoad {
  /** Messages that were answered 250 so far. */
  readonly accepted: number
  /** Begins no more messages and sees those under way through; after `withinMs` their connections are closed. */
  stop(withinMs?: number): Promise<Sent>
}

/** A kind of client. */
interface Kind extends Pick<Sending, 'connections' | 'retryUnknown'> {
  readonly role: Role
  /** Of the messages and of the sessions. */
  readonly share: number
}

/** Log-in and TLS for each message cost a hundred times what the message does: few do that. */
const KINDS: readonly Kind[] = [
  { role: 'relay', connections: 'kept', retryUnknown: true, share: 0.45 },
  { role: 'relay', connections: 'kept', retryUnknown: false, share: 0.15 },
  { role: 'relay', connections: 'one-shot', retryUnknown: true, share: 0.15 },
  { role: 'submission', connections: 'kept', retryUnknown: false, share: 0.15 },
  { role: 'submissions', connections: 'kept', retryUnknown: true, share: 0.07 },
  { role: 'submissions', connections: 'one-shot', retryUnknown: false, share: 0.03 },
]

const FEWEST_SESSIONS = 2
const GIVE_UP_MS = 120_000
const RELAYED_SENDER = 'load@sender.example'

export function startMixedLoad(options: MixedLoadOptions): MixedLoad {
  const run = Math.floor(options.random() * 2 ** 32).toString(36)
  const corpus = corpusOf(options.random)
  let accepted = 0
  const crowd = startCrowd(
    KINDS.map((kind, index) => ({
      ...kind,
      targets: options.targets(kind.role),
      sessions: Math.max(FEWEST_SESSIONS, Math.round(kind.share * options.sessions)),
      rate: kind.share * options.rate,
      next: mailOf(kind, `${run}-${index}`, seededRandom(options.random() * 2 ** 32), corpus, options),
      giveUpMs: GIVE_UP_MS,
      record: (attempt) => {
        if (attempt.told === 'accepted') accepted++
        options.record(attempt)
      },
      ...(options.patience === undefined ? {} : { patience: options.patience }),
    })),
    options.signal,
  )
  return {
    get accepted() {
      return accepted
    },
    stop: (withinMs) => crowd.stop(withinMs),
  }
}

/** Mail to it is refused for good by its site, and bounces. */
export function isRefusedAddress(recipient: string): boolean {
  return recipient.startsWith(REFUSED_PREFIX)
}

/** What is rare is sent early once by the first kind, so that a short run has it too. */
const EARLY = { large: 8, manyRecipients: 16, refused: 24 }

function mailOf(kind: Kind, prefix: string, random: Random, corpus: Corpus, options: MixedLoadOptions): () => Message {
  const sender = kind.role === 'relay' ? RELAYED_SENDER : options.userAddress
  const isFirst = kind === KINDS[0]
  let turn = 0
  return () => {
    turn++
    const size = sizeOf(random, isFirst && turn === EARLY.large, options.largest)
    const recipients = recipientsOf(random, isFirst && turn === EARLY.manyRecipients, size)
    const refused = random() < 0.01 || (isFirst && turn === EARLY.refused)
    return composeMessage(`${prefix}-${turn}`, {
      random,
      corpus,
      size,
      recipients,
      sender,
      domain: someOf(random, options.domains, recipients),
      date: new Date(),
      // One of them bounces, the others are delivered.
      prefix: refused ? [REFUSED_PREFIX, ...Array<string>(recipients - 1).fill('')] : '',
    })
  }
}

const MIB = 1024 * 1024
const LARGE = 5 * MIB

function sizeOf(random: Random, large: boolean, largest: number): number {
  // A composed message is at most one line longer than it was asked to be.
  const most = largest - 1000
  if (random() >= 1 / 2000 && !large) return Math.min(mixedSize(random), most)
  const least = Math.min(LARGE, most)
  return Math.round(least * (most / least) ** random())
}

function recipientsOf(random: Random, many: boolean, size: number): number {
  const kind = random()
  if (size > MIB) return kind < 0.2 ? 3 : 1
  if (many || kind < 0.003) return integerBetween(random, 100, 200)
  return kind < 0.053 ? integerBetween(random, 2, 20) : 1
}

/** Some of the domains, in any order; never more than there are recipients. */
function someOf(random: Random, domains: readonly string[], recipients: number): string[] {
  const left = [...domains]
  const some: string[] = []
  for (let count = integerBetween(random, 1, Math.min(domains.length, recipients)); count > 0; count--) {
    const taken = pick(random, left)
    left.splice(left.indexOf(taken), 1)
    some.push(taken)
  }
  return some
}
