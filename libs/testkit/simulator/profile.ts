/**
 * What a seed has in store. Each run has some kinds of trouble and not others, some much and some little: a run that has
 * everything at once gets nowhere, and one kind of trouble hides what another would show.
 */
import type { Random } from './random.ts'

export const TROUBLES = [
  'crash',
  'crash-edge',
  'freeze',
  'freeze-edge',
  'suspend',
  'cut',
  'cut-edge',
  'flap',
  'last-gasp',
  'cut-stalled',
  'sites-cut',
  'leader-change',
  'leaderless',
  'silent-leader',
  'stale-leader',
  'restart-all',
  'slow-replicas',
  'full-mail',
  'full-later',
  'full-log',
  'wall-jump',
  'dns',
  'stop',
  'opinion',
  'busy-site',
] as const
export type Trouble = (typeof TROUBLES)[number]

export interface Profile {
  /** Nothing but orderly stops: then nothing may be sent twice, and nothing be counted as if it might. */
  readonly isOrderly: boolean
  /** What is remembered for minutes is remembered for so many times less: ids, unknown fates, facts in the log. */
  readonly shortMemory: number
  /** How long the bad time lasts, ms. */
  readonly badMs: number
  readonly messages: number
  /** All in a few seconds, in as many batches. */
  readonly burst: boolean
  /** Records that fit into a batch. */
  readonly batchRecords: number
  readonly troubles: readonly Trouble[]
  /** Mean time between two troubles, ms. */
  readonly troubleEvery: number
  /** How long one lasts, ms: a spread from low to high. */
  readonly lasts: readonly [number, number]
  /** Chance that a step of a process is struck by trouble. */
  readonly step: number
  readonly loss: number
  readonly late: number
  readonly slow: number
  readonly lag: number
  readonly lagMost: number
  /** Largest error of a monotonic clock's rate. */
  readonly drift: number
  /** Largest error of the servers' clocks, ms. */
  readonly serverClock: number
  readonly openBytes: number
  readonly bodies: number
  /** Chance that a client takes its time to send what is left of a body. */
  readonly slowUpload: number
  readonly deferred: number
  readonly refused: number
  readonly broken: number
  readonly slowReply: number
  /** Longest wait for a reply, ms. */
  readonly longestReply: number
  /** Chance that it takes long to get to the dot, and how long then, ms. */
  readonly slowConnect: number
  readonly connects: readonly [number, number]
  readonly parks: number
  /** Chance that a node is of an older version. */
  readonly old: number
}

export function drawProfile(random: Random): Profile {
  const isLong = random.chance(0.02)
  const burst = random.chance(0.1)
  const some = (chance: number, low: number, high: number) => (random.chance(chance) ? random.spread(low, high) : 0)
  // Between one and all kinds of trouble.
  const share = random.between(0.05, 0.7)
  const troubles = TROUBLES.filter(() => random.chance(share))
  const profile: Profile = {
    isOrderly: false,
    shortMemory: isLong || random.chance(0.7) ? 1 : 10,
    badMs: isLong ? random.between(600_000, 1_500_000) : random.between(20_000, 80_000),
    messages: isLong ? random.whole(8, 30) : burst ? random.whole(20, 50) : random.whole(4, 16),
    burst,
    batchRecords: burst || random.chance(0.3) ? 1 : random.whole(2, 5),
    troubles,
    troubleEvery: isLong ? random.spread(20_000, 120_000) : random.spread(1_500, 20_000),
    lasts: isLong
      ? [1_000, 400_000]
      : random.chance(0.3)
        ? [100, 3_000]
        : random.chance(0.8)
          ? [200, 25_000]
          : [5_000, 120_000],
    step: some(0.5, 0.0005, 0.01),
    loss: some(0.5, 0.002, 0.15),
    late: some(0.4, 0.001, 0.03),
    slow: some(0.4, 0.005, 0.2),
    lag: some(0.5, 0.05, 0.8),
    lagMost: random.spread(20, 8_000),
    drift: random.pick([0, 0.0005, 0.02, 0.04, 0.04]),
    serverClock: some(0.5, 1, 1_500),
    openBytes: random.chance(0.3) ? random.whole(2, 6) * 1_000 : 64_000_000,
    bodies: some(0.5, 0.1, 0.6),
    slowUpload: some(0.5, 0.05, 0.7),
    deferred: some(0.7, 0.05, 0.6),
    refused: some(0.7, 0.02, 0.4),
    broken: some(0.4, 0.02, 0.3),
    slowReply: some(0.3, 0.01, 0.2),
    longestReply: isLong ? 900_000 : 120_000,
    slowConnect: some(0.4, 0.02, 0.8),
    connects: [30, 15_000],
    parks: some(0.4, 0.02, 0.5),
    old: some(0.2, 0.2, 0.8),
  }
  const kind = random.next()
  if (kind < 0.1) return { ...profile, ...PINCH }
  if (kind < 0.13) return { ...profile, ...ROLLING }
  return kind < 0.16 ? { ...profile, ...LITTER } : profile
}

/** Owners that are cut off with slow deliveries in their hands, while clocks run apart: leases are used up to their end. */
const PINCH: Partial<Profile> = {
  badMs: 60_000,
  messages: 30,
  burst: false,
  batchRecords: 2,
  troubles: ['cut-stalled', 'cut-stalled', 'last-gasp'],
  troubleEvery: 12_000,
  lasts: [9_000, 16_000],
  step: 0,
  loss: 0,
  late: 0,
  drift: 0.04,
  broken: 0,
  parks: 0,
  deferred: 0.05,
  refused: 0.05,
  slowConnect: 0.65,
  connects: [500, 5_000],
}

/** Nodes that are restarted one after the other, while destinations come and go. */
const ROLLING: Partial<Profile> = {
  isOrderly: true,
  troubles: ['stop', 'dns', 'busy-site', 'opinion'],
  step: 0,
  loss: 0,
  late: 0,
  slow: 0,
  broken: 0,
  slowReply: 0,
  slowConnect: 0,
}

/** Edges that leave bodies behind, for longer than it takes until these are swept, while owners come and go and lag behind. */
const LITTER: Partial<Profile> = {
  shortMemory: 10,
  badMs: 400_000,
  messages: 40,
  burst: false,
  troubles: ['crash-edge', 'cut-edge', 'freeze-edge', 'crash', 'cut', 'leader-change', 'slow-replicas'],
  troubleEvery: 8_000,
  lasts: [1_000, 100_000],
  openBytes: 3_000,
  slowReply: 0.3,
  longestReply: 400_000,
  bodies: 0.7,
  slowUpload: 0.5,
}
