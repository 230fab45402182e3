import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { freePorts, isPortFree } from './free-port.ts'

test('a port that somebody listens on is not free', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  assert.equal(await isPortFree((server.address() as AddressInfo).port), false)
})

test('free ports differ from each other and can be listened on', async () => {
  const ports = await freePorts(12)
  assert.equal(new Set(ports).size, 12)
  for (const port of ports) assert.equal(await isPortFree(port), true)
})
