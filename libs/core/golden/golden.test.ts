import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { test } from 'node:test'
import { decodeAccepted } from '../accepted-codec.ts'
import { decodeBatch } from '../batch-codec.ts'
import { decodeEntry } from '../entry-codec.ts'
import { decodeLease } from '../lease-codec.ts'
import { goldenFiles, goldenPath } from './files.ts'
import { acceptedMessages, entry, fullRecord, lease, smallRecord, toldEntry } from './samples.ts'

for (const [path, expected] of goldenFiles()) {
  test(`the bytes of ${basename(path)} have not changed`, () => {
    assert.equal(readFileSync(path, 'utf8'), expected)
  })
}

test('a batch written before 0.2, without the name of the client, is read like one of today', () => {
  const bytes = Buffer.from(readFileSync(goldenPath('batch.v1.before-helo.hex'), 'utf8').replaceAll('\n', ''), 'hex')
  const { helo: _, ...envelope } = fullRecord.envelope
  assert.deepEqual(decodeBatch(bytes), [smallRecord, { ...fullRecord, envelope }])
})

test('the golden files read as the values they were made from', () => {
  const text = (name: string) => readFileSync(goldenPath(name), 'utf8')
  const records = decodeBatch(Buffer.from(text('batch.v1.hex').replaceAll('\n', ''), 'hex'))
  assert.deepEqual(records, [smallRecord, fullRecord])
  assert.deepEqual(decodeLease(Buffer.from(text('lease.v1.txt'))), lease)
  assert.deepEqual(decodeEntry(text('entry.v1.txt')), entry)
  assert.deepEqual(decodeEntry(text('entry.v1.told.txt')), toldEntry)
  assert.deepEqual(decodeAccepted(text('accepted.v1.txt')), acceptedMessages)
})
