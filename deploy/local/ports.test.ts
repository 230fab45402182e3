import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { freePorts } from '@posthouse/testkit/free-port'
import { HIGHEST_BASE_PORT, portsAbove, portsInUse, PORTS_USED, purposes } from './ports.ts'

test('no two parts share a port, and all lie within the hundred above the base', () => {
  for (const nodes of [1, 3] as const) {
    const numbers = purposes(portsAbove(HIGHEST_BASE_PORT, nodes), true).map(([port]) => port)
    assert.equal(new Set(numbers).size, numbers.length)
    for (const port of numbers) assert.ok(port >= HIGHEST_BASE_PORT && port < HIGHEST_BASE_PORT + PORTS_USED)
    assert.ok(Math.max(...numbers) <= 65535)
  }
})

test('the ports one must know recall the well-known ones', () => {
  const { relay, submission, submissions } = portsAbove(2500, 3)
  assert.deepEqual([relay, submission, submissions], [2525, 2587, 2565])
})

test('a port in use is named with its purpose', async (t) => {
  const [port] = (await freePorts(1)) as [number]
  const base = port - 25
  const server = createServer().listen(port, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const lines = await portsInUse(portsAbove(base, 1), false)
  assert.ok(lines.includes(`port ${port} (relay listener) is in use`), lines.join())
})
