import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { test, type TestContext } from 'node:test'
import { startDelayProxy } from './delay-proxy.ts'

const HOST = '127.0.0.1'

test('everything arrives complete and in order while the delay changes', async (t) => {
  const { proxy, client, target } = await makeLine(t)
  const numbers = Array.from({ length: 300 }, (_, index) => `${index} `)
  const arrived = text(target)
  for (const [index, number] of numbers.entries()) {
    proxy.delay([40, 5, 0][index % 3] as number, 0)
    client.write(number)
    await new Promise(setImmediate)
  }
  client.end()
  assert.equal(await arrived, numbers.join(''))
})

test('what is sent does not arrive before its time, each way with its own', async (t) => {
  const { proxy, client, target } = await makeLine(t)
  for (const [from, to, up, down] of [
    [client, target, 150, 0],
    [target, client, 0, 150],
  ] as const) {
    proxy.delay(up, down)
    const before = performance.now()
    from.write('x')
    await once(to, 'data')
    assert.ok(performance.now() - before >= 149)
  }
})

test('a side that has said all still hears the other', async (t) => {
  const { proxy, client, target } = await makeLine(t)
  proxy.delay(10, 10)
  const answer = text(client)
  client.end('question')
  assert.equal(await text(target), 'question')
  target.end('answer')
  assert.equal(await answer, 'answer')
})

for (const side of ['client', 'target'] as const) {
  test(`a reset by the ${side} reaches the other side`, async (t) => {
    const { proxy, client, target } = await makeLine(t)
    proxy.delay(20, 20)
    const [from, to] = side === 'client' ? [client, target] : [target, client]
    from.resetAndDestroy()
    await assert.rejects(once(to, 'end'), { code: 'ECONNRESET' })
  })
}

test('a client whose target does not listen is reset', async (t) => {
  const { server, port } = await listen()
  server.close()
  const proxy = await startDelayProxy({ host: HOST, port: 0, to: { host: HOST, port } })
  t.after(() => proxy.close())
  await assert.rejects(once(connect(proxy.port, HOST), 'end'), { code: 'ECONNRESET' })
})

test('a reader that does not read stops the sender, and gets all when it reads', async (t) => {
  const { proxy, client, target } = await makeLine(t)
  proxy.delay(1, 0)
  const total = 64 * 1024 * 1024
  let isAllSent = false
  client.end(Buffer.alloc(total), () => (isAllSent = true))
  // The line is full when nothing more is taken for many turns of its delay.
  for (let still = 0, last = -1; still < 20;) {
    await new Promise((resolve) => setTimeout(resolve, 10))
    const left = client.writableLength
    still = left === last ? still + 1 : 0
    last = left
  }
  assert.equal(isAllSent, false)
  let arrived = 0
  for await (const chunk of target) arrived += (chunk as Buffer).length
  assert.equal(arrived, total)
})

test('a proxy that is closed lets go of its connections and its port', async (t) => {
  const { proxy, client } = await makeLine(t)
  const ended = once(client.resume(), 'end')
  await proxy.close()
  await ended
  await assert.rejects(once(connect(proxy.port, HOST), 'connect'), { code: 'ECONNREFUSED' })
})

/** A connection through a proxy, and both its ends. */
async function makeLine(t: TestContext) {
  const { server, port } = await listen()
  const proxy = await startDelayProxy({ host: HOST, port: 0, to: { host: HOST, port } })
  const client = connect({ host: HOST, port: proxy.port, allowHalfOpen: true })
  const [target] = (await once(server, 'connection')) as [Socket]
  for (const socket of [client, target]) socket.on('error', () => {})
  t.after(async () => {
    client.destroy()
    target.destroy()
    server.close()
    await proxy.close()
  })
  return { proxy, client, target }
}

async function listen() {
  const server = createServer({ allowHalfOpen: true })
  server.listen(0, HOST)
  await once(server, 'listening')
  return { server, port: (server.address() as AddressInfo).port }
}
