import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { check } from 'prettier'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { merged, NO_DATA, type FaultsData } from './data.ts'
import { faultsDocument } from './document.ts'
import { madeUpConditions, madeUpResult } from './test/made-up-result.ts'
import { writeDocument } from './write-document.ts'

const NAMES = ['kill-nats', 'kill-delivery', 'power-cut']
const killNats = madeUpResult({ name: 'kill-nats', explanations: [] })
const later = { ...madeUpConditions, commit: '9876543210', date: '2026-11-25' }
const both = merged(NO_DATA, [madeUpResult(), killNats], madeUpConditions, NAMES)

test('a new run takes the place of the last one of its fault, and keeps its own conditions', () => {
  const data = merged(both, [madeUpResult({ seed: 8 })], later, NAMES)
  assert.deepEqual(
    data.runs.map(({ name, seed, under }) => [name, seed, data.conditions[under]?.commit]),
    [
      ['kill-nats', 7, '0123456789'],
      ['kill-delivery', 8, '9876543210'],
    ],
  )
})

test('conditions of which no run is left, and runs of which no fault is left, are forgotten', () => {
  const data = merged(both, [madeUpResult({ seed: 8 })], later, ['kill-delivery'])
  assert.deepEqual(data.conditions, [later])
  assert.deepEqual(
    data.runs.map(({ name }) => name),
    ['kill-delivery'],
  )
})

test('the document has a row for each fault under its kind', () => {
  const text = faultsDocument(
    merged(both, [madeUpResult({ name: 'power-cut', kind: 'power' })], madeUpConditions, NAMES),
  )
  const rows = text.split('\n').filter((line) => line.startsWith('| `') || line.startsWith('| **'))
  assert.deepEqual(
    rows.map((row) => row.split(' | ')[0]),
    ['| **Processes**', '| `kill-nats`', '| `kill-delivery`', '| **Power**', '| `power-cut`'],
  )
  assert.equal(
    rows[2],
    '| `kill-delivery` | kill -9 of one delivery node | 3000 | 0 / 0 / 0 | 2 (3) | 0.31 s (< 1 s) | 11.6 s (< 20 s) | 1.20 s | 7 | passed |',
  )
  assert.match(text, /\*\*3 of 3 runs passed: 9000 messages, 0 lost,/)
})

test('why mail went out twice is told once for all that share the reason', () => {
  assert.match(
    faultsDocument(both),
    /^- `kill-delivery`: 2 × duplicate: delivery-1 was killed; 1 × near miss: delivery-1 was killed$/m,
  )
  assert.doesNotMatch(faultsDocument(both), /^- `kill-nats`/m)
})

test('what failed and where there is no bar have sections of their own, which are not there without need', () => {
  const bars = { gapMs: null, duplicates: true, why: 'nothing can be stored' }
  const results = ['kill-nats', 'power-cut'].map((name) => madeUpResult({ name, bars, failures: ['4 lost'] }))
  const text = faultsDocument(merged(NO_DATA, results, madeUpConditions, NAMES))
  assert.match(text, /^## Where there is no bar\n\n- `kill-nats`, `power-cut`: nothing can be stored$/m)
  assert.match(text, /^## Failed, or over a bar\n\n- `kill-nats`: 4 lost\n- `power-cut`: 4 lost$/m)
  assert.doesNotMatch(faultsDocument(both), /## Failed|## Where there is no bar/)
})

test('the conditions are told once, and the exceptions with their runs', () => {
  assert.match(faultsDocument(both), /^Measured on 2026-11-24 at commit 0123456789: 2 cores \(AMD EPYC\), 7\.8 GiB,/m)
  const again = [madeUpResult({ seed: 8 })]
  const three = merged(both, [madeUpResult({ name: 'power-cut' })], madeUpConditions, NAMES)
  const text = faultsDocument(merged(three, again, later, NAMES))
  assert.match(text, /^- All others: on 2026-11-24 at commit 0123456789:/m)
  assert.match(text, /^- `kill-delivery`: on 2026-11-25 at commit 9876543210:/m)
})

test('what is written is formatted, can be read again, and shows the sequence once there was one', async () => {
  await using folder = await temporaryFolder('faults-report')
  const docs = join(folder.path, 'docs')
  await mkdir(docs)
  const file = (name: string) => readFile(join(docs, name), 'utf8')
  const data = async () => JSON.parse(await file('faults.json')) as FaultsData
  await writeDocument([killNats], folder.path, madeUpConditions)
  assert.equal((await data()).plotted?.name, 'kill-nats')
  await writeDocument([madeUpResult({ name: 'sequence', kind: 'change' })], folder.path, madeUpConditions)
  const drawn = await file('faults.svg')
  await writeDocument([madeUpResult()], folder.path, later)
  assert.equal(await file('faults.svg'), drawn)
  assert.equal((await data()).plotted?.name, 'sequence')
  assert.deepEqual(
    (await data()).runs.map(({ name }) => name),
    ['kill-nats', 'kill-delivery', 'sequence'],
  )
  assert.ok(await check(await file('faults.md'), { parser: 'markdown' }))
  assert.match(await file('faults.md'), /!\[.*sequence, seed 7\]\(faults\.svg\)/)
})

test('without a run nothing is drawn', async () => {
  await using folder = await temporaryFolder('faults-report')
  await mkdir(join(folder.path, 'docs'))
  await writeDocument([], folder.path, madeUpConditions)
  assert.ok(!existsSync(join(folder.path, 'docs/faults.svg')))
})
