import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CommandFailed, ended, output } from './command.ts'

const PLENTY = { timeoutMs: 60_000 }

test('a program gets its input, and its output and exit status are told', async () => {
  assert.equal(await output('sh', ['-c', 'cat; echo "$1"', 'sh', 'b'], { ...PLENTY, input: 'a\n' }), 'a\nb\n')
  assert.deepEqual(await ended('sh', ['-c', 'echo no >&2; exit 3'], PLENTY), { status: 3, stdout: '', stderr: 'no\n' })
})

test('one that fails is told with its last words', async () => {
  await assert.rejects(output('sh', ['-c', 'echo not found >&2; exit 1'], PLENTY), (error) => {
    assert.ok(error instanceof CommandFailed)
    assert.match(error.message, /^sh -c .* exit status 1: not found$/)
    return true
  })
})

test('one that is not there cannot be run', async () => {
  await assert.rejects(ended('posthouse-no-such-program', [], PLENTY), /cannot be run/)
})

test('one that takes too long is ended', async () => {
  await assert.rejects(ended('sleep', ['600'], { timeoutMs: 10 }), /sleep 600: not done after/)
})

test('a signal ends it, and keeps others from beginning', async () => {
  const stop = new AbortController()
  const running = ended('sh', ['-c', 'sleep 600 & wait'], { ...PLENTY, signal: stop.signal })
  stop.abort()
  await assert.rejects(running, /: stopped/)
  await assert.rejects(ended('true', [], { ...PLENTY, signal: stop.signal }), /stopped before it began/)
})

test('one that reads nothing of its input is no failure', async () => {
  assert.equal(await output('true', [], { ...PLENTY, input: 'x'.repeat(1_000_000) }), '')
})
