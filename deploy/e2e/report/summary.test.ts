import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FACTS, result, step } from '../test/results.ts'
import { summary } from './summary.ts'

test('a line for each step, in columns, then the mail and the verdict', () => {
  const steps = [step('calm'), step('uninstall', { facts: null, bars: null })]
  const lines = summary(result({ steps })).split('\n')
  assert.match(lines[0] ?? '', /^step +outcome +took +accepted +gap +refused/)
  assert.match(lines[1] ?? '', /^calm +passed +12\.0 s +400 +0\.30 s +0 +0 +0 +0\.90 s$/)
  assert.match(lines[2] ?? '', /^uninstall +passed +12\.0 s$/)
  assert.equal(lines[0]?.indexOf('outcome'), lines[1]?.indexOf('passed'))
  assert.match(lines.at(-2) ?? '', /^600 messages to 700 recipients: lost 0, altered 0, unexpected 0, twice 1$/)
  assert.match(lines.at(-1) ?? '', /^passed \(21 min\)$/)
})

test('refusals and connections are counted together', () => {
  const facts = { ...FACTS, refused: 1, turnedAway: 2, lostConnections: 3, connectFailures: 4, longestDeliveryMs: null }
  const [, line] = summary(result({ steps: [step('a', { facts })] })).split('\n')
  assert.match(line ?? '', / 3 +7 +0$/)
})

test('a step that was not run has no figures, and every failure is told', () => {
  const steps = [step('cut-node', { outcome: 'not run', why: ['needs --node-command'], facts: null })]
  const text = summary(result({ steps, passed: false, failures: ['mail: 3 lost', 'a: 1 refused'], mail: null }))
  assert.match(text, /^cut-node +not run$/m)
  assert.match(text, /^the mail was not judged$/m)
  assert.match(text, /FAILED\n {2}mail: 3 lost\n {2}a: 1 refused \(21 min\)$/)
})
