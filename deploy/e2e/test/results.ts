// Results of a run in which all went well, for tests to change.

import type { PhaseFacts } from '../load.ts'
import type { RunResult, StepResult } from '../result.ts'
import { GRACEFUL } from '../step.ts'

export const FACTS: PhaseFacts = {
  seconds: 20,
  accepted: 400,
  perSecond: 20,
  gapMs: 300,
  longestWaitMs: 400,
  refused: 0,
  turnedAway: 0,
  connectFailures: 0,
  lostConnections: 0,
  unknown: 0,
  duplicates: 0,
  longestDeliveryMs: 900,
}

export function step(name: string, parts: Partial<StepResult> = {}): StepResult {
  const what = `${name} is done`
  return { name, what, outcome: 'passed', why: [], seconds: 12, facts: FACTS, bars: GRACEFUL, notes: [], ...parts }
}

export function result(parts: Partial<RunResult> = {}): RunResult {
  return {
    passed: true,
    failures: [],
    steps: [step('calm')],
    mail: { messages: 600, recipients: 700, lost: 0, altered: 0, unexpected: 0, duplicates: 1, unknown: 0 },
    seconds: 1260,
    conditions: {
      date: '2026-01-02',
      kubernetes: '1.36.3',
      helm: '4.3.1',
      nodes: 2,
      machines: 1,
      cores: 2,
      memoryGiB: 8,
      platforms: ['Linux 6.12.1 amd64, containerd 2.1.0'],
      loadBefore: [1.5, 2, 3],
      image: 'posthouse:2',
      previousImage: 'posthouse:1',
      commit: '0123456789',
      rate: 25,
      namespace: 'posthouse-e2e',
    },
    left: [],
    ...parts,
  }
}
