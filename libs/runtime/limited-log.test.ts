import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LimitedLog } from './limited-log.ts'
import { createLog } from './log.ts'

test('what is too much is left out, counted for the metric, and told by kind', async () => {
  const lines: Record<string, unknown>[] = []
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) }
  const log = await createLog({ level: 'info', format: 'json', base: {}, destination })
  let now = 0
  const limited = new LimitedLog(log, { perSecond: 2, burst: 3, now: () => now })
  for (let i = 0; i < 10; i++) limited.info({ i }, 'refused')
  for (let i = 0; i < 5; i++) limited.warn({ i }, 'lost')
  // Below the level: neither written nor left out.
  for (let i = 0; i < 10; i++) limited.debug({ i }, 'whisper')
  now = 1000
  limited.info({ i: 10 }, 'refused')
  const written = (message: string) => lines.filter(({ msg }) => msg === message).map(({ i }) => i)
  assert.deepEqual([written('refused'), written('lost')], [[0, 1, 2, 10], [0, 1, 2]]) // prettier-ignore
  assert.deepEqual(limited.suppressed(), { refused: 7, lost: 2 })
  assert.equal(log.suppressed(), 9)
  limited.close()
  limited.close()
  const told = lines.filter(({ msg }) => msg === 'log lines left out')
  assert.deepEqual(
    told.map(({ level, lines }) => [level, lines]),
    [['warn', { refused: 7, lost: 2 }]],
  )
})

test('while it goes on, what was left out is told without being asked', async () => {
  const told = Promise.withResolvers<string>()
  const destination = { write: (line: string) => void (line.includes('left out') && told.resolve(line)) }
  const log = await createLog({ level: 'info', format: 'json', base: {}, destination })
  const limited = new LimitedLog(log, { perSecond: 1, burst: 1 })
  for (let i = 0; i < 100; i++) limited.info({}, 'refused')
  // Its timer keeps no process alive; this does.
  const alive = setInterval(() => {}, 1000)
  assert.match(await told.promise, /"lines":\{"refused":99\}/)
  clearInterval(alive)
})
