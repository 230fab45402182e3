import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { test } from 'node:test'
import { createLog } from './log.ts'
import type { LogOptions } from './log.ts'

async function capture(options: Partial<LogOptions> = {}) {
  const lines: string[] = []
  const destination = { write: (line: string) => void lines.push(line) }
  const base = { service: 'edge', node: 'edge-1' }
  const log = await createLog({ level: 'info', format: 'json', base, destination, ...options })
  return { log, lines, parsed: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) }
}

test('a line is one JSON object with level, time, service, node, fields and message', async () => {
  const { log, parsed } = await capture()
  log.info({ id: 'q1', bytes: 3 }, 'accepted')
  const [line] = parsed()
  assert.match(String(line?.['time']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  assert.deepEqual(
    { ...line, time: '' },
    { level: 'info', time: '', service: 'edge', node: 'edge-1', id: 'q1', bytes: 3, msg: 'accepted' },
  )
})

test('secrets are redacted in fields, in errors, and in the fields of children and grandchildren', async () => {
  const { log, lines, parsed } = await capture()
  log.info({ password: 'hunter2' }, 'a')
  log.warn({ err: Object.assign(new Error('refused'), { auth: 'hunter2', code: 'EAUTH' }) }, 'b')
  const child = log.child({ token: 'hunter2', session: 's1' })
  child.info({ hash: 'hunter2' }, 'c')
  child.child({ secret: 'hunter2' }).info('d')
  assert.ok(!lines.join('').includes('hunter2'))
  const [, failure, , grandchild] = parsed()
  assert.partialDeepStrictEqual(failure, { err: { message: 'refused', code: 'EAUTH', auth: '[redacted]' } })
  assert.partialDeepStrictEqual(grandchild, { session: 's1', token: '[redacted]', secret: '[redacted]' })
})

test('lines below the level are not written', async () => {
  const { log, lines } = await capture({ level: 'warn' })
  log.info('quiet')
  log.child({ a: 1 }).debug('quiet')
  log.error('loud')
  assert.equal(lines.length, 1)
  assert.equal(log.isLevelEnabled('info'), false)
})

test('the pretty format is for eyes: time, level, node, message, fields', async () => {
  const text: string[] = []
  const destination = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      text.push(chunk.toString())
      done()
    },
  })
  const { log } = await capture({ format: 'pretty', destination })
  log.info({ id: 'q1', password: 'hunter2' }, 'accepted')
  assert.match(
    text.join(''),
    /^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: edge-1 accepted \{"id":"q1","password":"\[redacted\]"\}\n$/,
  )
})

test('without pino-pretty the log is JSON and says why', async () => {
  const { log, parsed } = await capture({ format: 'pretty', loadPretty: () => Promise.reject(new Error('not found')) })
  log.info('accepted')
  assert.deepEqual(
    parsed().map(({ level, msg }) => [level, msg]),
    [
      ['warn', 'log.format: pino-pretty is not installed: logging JSON instead'],
      ['info', 'accepted'],
    ],
  )
})
