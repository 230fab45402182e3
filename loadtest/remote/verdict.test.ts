import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Ledger } from '../ledger.ts'
import { verdictOf, type Evidence } from './verdict.ts'

const LEDGER: Ledger = {
  accepted: 5,
  refused: 1,
  unknown: 1,
  delivered: 5,
  bounced: 0,
  queued: 0,
  lost: 0,
  undecided: 0,
  duplicates: 1,
  unexpected: 0,
  altered: 0,
  examples: { missing: [], duplicate: [], unexpected: [], altered: [] },
}

const MESSAGES = { accepted: 5, unknown: 1, delivered: 5, missing: 0, altered: 0, duplicates: 1, unexpected: 0 }

function evidence(ledger: Partial<Ledger>, other: Partial<Evidence> = {}): Evidence {
  return {
    run: 'run',
    startedAt: '',
    isRunning: false,
    legalDuplicates: 0,
    recipients: { ...LEDGER, ...ledger },
    messages: MESSAGES,
    ofOtherRuns: 0,
    drained: { complete: true, at: '', seconds: 1 },
    phases: [],
    ...other,
  }
}

const CASES: Record<string, readonly [Evidence, judgement: string, why: string]> = {
  'all arrived; duplicates, refusals and unknown fates are counted and no fault': [evidence({}), 'sound', ''],
  'a loss': [evidence({ lost: 2 }), 'faulty', '2 accepted and not arrived'],
  'an alteration while the load runs': [evidence({ altered: 1 }, { isRunning: true }), 'faulty', '1 altered'],
  'mail that nobody sent': [evidence({ unexpected: 1 }), 'faulty', '1 arrived though refused or never sent'],
  'a bounce, for which nobody gave a reason': [evidence({ bounced: 1 }), 'faulty', '1 bounced'],
  'mail that nobody has waited for': [evidence({ undecided: 3 }), 'undecided', '3 have not arrived yet'],
  'a load that runs': [evidence({}, { isRunning: true }), 'undecided', 'the load is still running'],
  'a load that broke off': [evidence({}, { trouble: 'oh' }), 'undecided', 'the load broke off: oh'],
  'nothing accepted': [evidence({}, { messages: { ...MESSAGES, accepted: 0 } }), 'undecided', 'nothing was accepted'],
}

for (const [name, [given, judgement, why]] of Object.entries(CASES)) {
  test(`${name}: ${judgement}`, () => {
    const verdict = verdictOf(given)
    assert.equal(verdict.judgement, judgement)
    assert.ok(verdict.why.join('; ').startsWith(why), verdict.why.join('; '))
    assert.equal(verdict.why.length === 0, judgement === 'sound')
  })
}
