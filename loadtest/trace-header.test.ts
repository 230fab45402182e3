import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stripTraceHeaders } from './trace-header.ts'

const strip = (text: string, count = 1) => {
  const stripped = stripTraceHeaders(Buffer.from(text), count)
  return stripped.ok ? stripped.content.toString() : stripped.why
}

test('exactly the Received field on top goes, with its folded lines', () => {
  assert.equal(strip('Received: from a\r\n\tby b\r\n for c; now\r\nFrom: x\r\n\r\nbody\r\n'), 'From: x\r\n\r\nbody\r\n')
})

test('a Received field of an earlier hop stays', () => {
  assert.equal(
    strip('received: one\r\nReceived: two\r\n\tmore\r\nA: b\r\n\r\n'),
    'Received: two\r\n\tmore\r\nA: b\r\n\r\n',
  )
})

test('a missing one is said to be missing', () => {
  assert.equal(strip('From: x\r\n\r\n'), '0 of 1 Received fields on top')
  assert.equal(strip('Received: one\r\nFrom: x\r\n\r\n', 2), '1 of 2 Received fields on top')
})

test('a message without any is taken as it is when none is expected', () => {
  assert.equal(strip('Received: one\r\n\r\n', 0), 'Received: one\r\n\r\n')
})
