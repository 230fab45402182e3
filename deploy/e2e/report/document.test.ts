import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RunResult } from '../result.ts'
import { result, step } from '../test/results.ts'
import { resultsDocument } from './document.ts'

const documentOf = (parts: Partial<RunResult> = {}) => resultsDocument(result(parts))
const row = (text: string, name: string) => text.split('\n').find((line) => line.startsWith(`| \`${name}\``)) ?? ''

test('the conditions come first: versions, machines, load before, commit and images', () => {
  const text = documentOf()
  for (const wanted of [
    '2026-01-02',
    'commit 0123456789',
    'Kubernetes 1.36.3',
    '2 nodes on 1 machine with 2 cores and 8 GiB (Linux 6.12.1 amd64, containerd 2.1.0)',
    'images posthouse:1 and posthouse:2',
    '25 messages per second',
    '1.5, 2, 3',
  ]) {
    assert.ok(text.includes(wanted), wanted)
  }
})

test('the sums of the mail are told', () => {
  const text = documentOf()
  assert.match(text, /Lost 0, altered 0, unexpected 0\*\* of 600 messages to 700 recipients; 1 arrived twice/)
})

test('mail that was not judged is told as such', () => {
  assert.match(documentOf({ mail: null }), /\*\*The mail was not judged\.\*\*/)
})

test('when all went well it says so', () => {
  const text = documentOf()
  assert.match(
    text,
    /\*\*Every promise and bar held\*\*: of 1 step 1 passed, 0 failed or missed a bar, 0 were not run\./,
  )
  assert.doesNotMatch(text, /## Failed/)
})

test('what failed and what was not run stand at the top, in the table, and with their reasons', () => {
  const failure = 'b: time without a 250: 1.50 s, the bar is 1 s'
  const text = documentOf({
    passed: false,
    failures: [failure],
    steps: [
      step('a'),
      step('b', { outcome: 'failed', why: ['time without a 250: 1.50 s, the bar is 1 s'] }),
      step('c', { outcome: 'not run', why: ['needs --node-command'], facts: null }),
    ],
  })
  assert.match(
    text,
    /Not every promise and bar held\*\*: of 3 steps 1 passed, 1 failed or missed a bar, 1 was not run \(`c`\)/,
  )
  assert.match(row(text, 'a'), /\| passed \|$/)
  assert.match(row(text, 'b'), /\| failed \|$/)
  assert.match(row(text, 'c'), /\| not run: needs --node-command \|$/)
  assert.match(text, new RegExp(`## Failed, or over a bar\n\n- ${failure}`))
})

test('a gap stands beside its bar; without one the reason is told below', () => {
  const free = { gapMs: null, unnoticed: false, duplicates: true, why: 'nobody promised' }
  const text = documentOf({ steps: [step('a'), step('b', { bars: free })] })
  assert.match(row(text, 'a'), /\| 0\.30 s \(< 1 s\) \|/)
  assert.match(row(text, 'b'), /\| 0\.30 s \|/)
  assert.match(text, /## Where there is no bar\n\n- `b`: nobody promised/)
})

test('every row has as many cells as the header, whatever is known of the step', () => {
  const steps = [
    step('a', { what: 'one | two', notes: ['done to nobody'] }),
    step('b', { facts: null, bars: null }),
    step('c', { outcome: 'not run', why: ['no'], facts: null }),
  ]
  const text = documentOf({ steps })
  const rows = text.split('\n').filter((line) => line.startsWith('| '))
  assert.equal(rows.length, steps.length + 2)
  const widths = rows.map((line) => line.replaceAll('\\|', '').split('|').length)
  assert.equal(new Set(widths).size, 1)
  assert.match(text, /## What was done\n\n- `a`: done to nobody/)
})
