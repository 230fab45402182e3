// Results of runs that never were, for the tests of the reports.

import type { FaultResult } from '../../result.ts'
import type { Conditions } from '../conditions.ts'

/** A delivery node was killed, and all went well. */
export function madeUpResult(changes: Partial<FaultResult> = {}): FaultResult {
  return {
    name: 'kill-delivery',
    kind: 'process',
    what: 'kill -9 of one delivery node',
    seed: 7,
    isolated: true,
    bars: { gapMs: 1000, duplicates: true, takeoverMs: 20_000 },
    hit: ['delivery-1'],
    faultMs: 15_000,
    messages: 3000,
    accepted: 4000,
    refused: 0,
    unknown: 3,
    delivered: 4002,
    bounced: 0,
    queued: 0,
    lost: 0,
    undecided: 0,
    duplicates: 2,
    unexpected: 0,
    altered: 0,
    examples: { missing: [], duplicate: [], unexpected: [], altered: [] },
    longestAcceptGapMs: 312,
    takeoverMs: 11_640,
    recoveryMs: 1200,
    normalRate: 120,
    possibleDuplicates: 3,
    explanations: [
      { recipient: 'a@one.example', is: 'near miss', why: 'delivery-1 was killed' },
      { recipient: 'b@one.example', is: 'duplicate', why: 'delivery-1 was killed' },
      { recipient: 'c@one.example', is: 'duplicate', why: 'delivery-1 was killed' },
    ],
    events: { tasks: 4000, missing: 0, doubled: 0, contradicted: 0, untold: 0, toldTwice: 0, examples: [] },
    failures: [],
    missedBars: [],
    marks: [
      { at: 9000, kind: 'hit', nodes: ['delivery-1'], text: 'kill -9 delivery-1' },
      { at: 24_000, kind: 'heal', nodes: ['delivery-1'], text: 'started again' },
    ],
    timeline: { startedAt: 1000, accepted: Array<number>(40).fill(120), delivered: Array<number>(45).fill(160) },
    ...changes,
  }
}

export const madeUpConditions: Conditions = {
  cpu: 'AMD EPYC',
  cores: 2,
  memoryGiB: 7.8,
  kernel: '6.18.44',
  distribution: 'Debian GNU/Linux 12 (bookworm)',
  node: 'v24.21.0',
  natsServer: '2.15.1',
  haproxy: '2.6.12',
  commit: '0123456789',
  date: '2026-11-24',
}
