import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { Health, startHealthServer } from './health.ts'
import { StartError } from './start-error.ts'

const metrics = {
  page: (accept: string | undefined) =>
    Promise.resolve({ contentType: 'text/plain; version=0.0.4', text: `for ${accept}\n` }),
}

async function serve(t: TestContext, health: Health) {
  const server = await startHealthServer({ host: '127.0.0.1', port: 0, health, metrics })
  t.after(() => server.close())
  return {
    server,
    get: async (path: string, method = 'GET') => {
      const response = await fetch(`http://127.0.0.1:${server.port}${path}`, { method })
      return { status: response.status, type: response.headers.get('content-type'), body: await response.text() }
    },
  }
}

test('readyz lists why not, condition by condition, until all are ready', async (t) => {
  const health = new Health()
  const queue = health.condition('queue')
  const listeners = health.condition('listeners')
  const { get } = await serve(t, health)
  const readyz = async () => {
    const { status, body } = await get('/readyz')
    return [status, JSON.parse(body)] as const
  }
  assert.deepEqual(await readyz(), [
    503,
    {
      ready: false,
      notReady: [
        { condition: 'queue', reason: 'starting' },
        { condition: 'listeners', reason: 'starting' },
      ],
    },
  ])
  listeners.ready()
  queue.notReady('3 of 6 partitions have no leader')
  assert.deepEqual(await readyz(), [
    503,
    { ready: false, notReady: [{ condition: 'queue', reason: '3 of 6 partitions have no leader' }] },
  ])
  assert.equal(queue.isReady, false)
  queue.ready()
  assert.deepEqual(await readyz(), [200, { ready: true, notReady: [] }])
})

test('livez and metrics answer whatever readyz says, and other paths are named', async (t) => {
  const health = new Health()
  health.condition('queue')
  const { get } = await serve(t, health)
  assert.deepEqual(await get('/livez'), { status: 200, type: 'text/plain', body: 'alive\n' })
  assert.deepEqual(await get('/metrics?x=1'), { status: 200, type: 'text/plain; version=0.0.4', body: 'for */*\n' })
  assert.equal((await get('/')).status, 404)
  assert.equal((await get('/readyz', 'POST')).status, 405)
})

test('listeners hear only of changes of the whole', () => {
  const health = new Health()
  const story: string[] = []
  health.onChange((ready, why) => story.push(ready ? 'ready' : why.map((w) => `${w.condition}: ${w.reason}`).join()))
  const a = health.condition('a')
  const b = health.condition('b')
  a.ready()
  b.ready()
  b.ready()
  a.notReady('x')
  b.notReady('y')
  a.ready()
  b.ready()
  assert.deepEqual(story, ['ready', 'a: x', 'ready'])
})

test('a condition has one owner', () => {
  const health = new Health()
  health.condition('a')
  assert.throws(() => health.condition('a'), /twice/)
})

test('a taken port and a foreign address are start errors that name the setting', async (t) => {
  const health = new Health()
  const { server } = await serve(t, health)
  await assert.rejects(
    startHealthServer({ host: '127.0.0.1', port: server.port, health, metrics }),
    (error: unknown) =>
      error instanceof StartError &&
      error.setting === 'http.port' &&
      error.message === `port ${server.port} on 127.0.0.1 is taken by another process`,
  )
  await assert.rejects(
    startHealthServer({ host: '192.0.2.1', port: 0, health, metrics }),
    (error: unknown) => error instanceof StartError && error.setting === 'http.host',
  )
})
