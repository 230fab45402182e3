import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BufferedOutput } from './buffered-output.ts'
import type { OutputCalls } from './buffered-output.ts'

type Done = (error: NodeJS.ErrnoException | null, written: number) => void

// A descriptor whose writes end when, and as, the test says.
function descriptor() {
  const pending: { text: string; done: Done }[] = []
  const sync: string[] = []
  const write = (_fd: number, data: Buffer, done: Done): void => void pending.push({ text: data.toString(), done })
  const writeSync = (_fd: number, data: Buffer): number => {
    sync.push(data.toString())
    return data.length
  }
  const next = (): { text: string; done: Done } => pending.shift() ?? assert.fail('nothing is being written')
  return { pending, sync, next, output: new BufferedOutput(9, { write, writeSync } as unknown as OutputCalls) }
}

const failure = (code: string): NodeJS.ErrnoException => Object.assign(new Error(code), { code })

test('lines gather while a write is under way, and go out in order, one write at a time', async () => {
  const { output, pending, next } = descriptor()
  output.write('a\n')
  output.write('b\n')
  assert.equal(pending.length, 0)
  const drained = output.drain()
  const first = next()
  assert.equal(first.text, 'a\nb\n')
  output.write('c\n')
  first.done(null, 1)
  const rest = next()
  assert.equal(rest.text, '\nb\n')
  rest.done(null, 3)
  const second = next()
  assert.equal(second.text, 'c\n')
  second.done(null, 2)
  await drained
})

test('much at once does not wait for the timer', () => {
  const { output, pending } = descriptor()
  output.write(`${'x'.repeat(40_000)}\n`)
  assert.equal(pending.length, 1)
})

test('an exit writes what is gathered before it ends', () => {
  const { output, sync } = descriptor()
  output.write('a\n')
  output.flushSync()
  assert.deepEqual(sync, ['a\n'])
  output.flushSync()
  assert.equal(sync.length, 1)
})

test('a stalled reader costs lines, and how many is told', () => {
  const { output, next } = descriptor()
  const line = `${'x'.repeat(2 ** 20)}\n`
  output.write(line)
  const stalled = next()
  for (let i = 0; i < 20; i++) output.write(line)
  stalled.done(null, line.length)
  const { text } = next()
  assert.equal(text.split(line).length - 1, 16)
  assert.equal(output.dropped, 4)
  assert.match(text, /"dropped":4,"msg":"log lines dropped: nobody reads"\}\n$/)
})

test('a reader that has gone ends it quietly', async () => {
  const { output, pending, next } = descriptor()
  output.write('a\n')
  const drained = output.drain()
  next().done(failure('EPIPE'), 0)
  await drained
  output.write('b\n')
  await output.drain()
  assert.equal(pending.length, 0)
})
