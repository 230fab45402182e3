import assert from 'node:assert/strict'
import { connect, createServer } from 'node:net'
import { once } from 'node:events'
import { before, after, test } from 'node:test'
import { startChild } from '@posthouse/testkit/child-process'
import { freePort } from '@posthouse/testkit/free-port'
import { requireNatsServer } from '@posthouse/testkit/nats-binary'
import { NatsCluster } from '@posthouse/testkit/nats-cluster'
import { SILENT } from '../log.ts'
import { connectStore, type StoreOptions } from './jetstream-store.ts'

const MIB = 1024 * 1024

let cluster: NatsCluster
before(async () => {
  cluster = await NatsCluster.start({ servers: 1, maxFileStore: 512 * MIB })
})
after(() => cluster.stop())

function options(change: Partial<StoreOptions> = {}): StoreOptions {
  return {
    servers: cluster.servers,
    user: cluster.user,
    password: cluster.password,
    name: 'test',
    partitions: 2,
    replicas: 1,
    limits: { storage: 128 * MIB },
    log: SILENT,
    ...change,
  }
}

const refuses = (change: Partial<StoreOptions>, reason: RegExp) => assert.rejects(connectStore(options(change)), reason)

test('no server at the listed addresses', async () => {
  const port = await freePort()
  await refuses(
    { servers: [`127.0.0.1:${port}`], patienceMs: 0 },
    /^Error: nats\.servers: no NATS server answers at 127\.0\.0\.1:\d+/,
  )
})

test('a server that comes while it is waited for', async (t) => {
  const waiting: string[] = []
  const port = await freePort()
  const log = { ...SILENT, info: (_: object, message: string) => waiting.push(message) }
  const refused = connectStore(options({ servers: [`127.0.0.1:${port}`], log }))
  void refused.catch(() => {})
  while (!waiting.includes('waiting: no NATS server answers yet')) await new Promise(setImmediate)
  const child = await startChild(requireNatsServer().path, ['-a', '127.0.0.1', '-p', String(port)])
  t.after(() => child.stop())
  // It answers, and is found to be without JetStream.
  await assert.rejects(refused, /^Error: nats\.servers: JetStream is off/)
})

test('a wrong password', () => refuses({ password: 'wrong' }, /^Error: nats\.user, nats\.passwordFile: .*refuse/))

test('a server that is too old', async (t) => {
  const server = await oldServer('2.11.4')
  t.after(() => server.close())
  await refuses(
    { servers: [server.address] },
    /^Error: nats\.servers: nats-server 2\.11\.4 at .* is too old, needed is 2\.15/,
  )
})

test('a server without JetStream', async (t) => {
  const port = await freePort()
  const child = await startChild(requireNatsServer().path, ['-a', '127.0.0.1', '-p', String(port)])
  t.after(() => child.stop())
  while (!(await accepts(port)));
  await refuses({ servers: [`127.0.0.1:${port}`] }, /^Error: nats\.servers: JetStream is off/)
})

test('replicas that a single server cannot give', () =>
  refuses({ replicas: 3 }, /^Error: queue\.replicas: 3 replicas need a cluster/))

test('more storage than the servers have', () =>
  refuses(
    { limits: { storage: 4096 * MIB } },
    /^Error: queue\.storage: stream \w+ of \d+ bytes does not fit the max_file_store/,
  ))

test('less storage than the partitions need', () =>
  refuses(
    { limits: { storage: MIB } },
    /^Error: queue\.storage: 1048576 bytes are too few for 2 partitions, at least \d+$/,
  ))

test('partitions can be added but not taken away, and racing nodes agree', async (t) => {
  const open = async (change: Partial<StoreOptions>) => {
    const store = await connectStore(options(change))
    t.after(() => store.close())
    return store
  }
  const nodes = await Promise.all([open({ partitions: 2 }), open({ partitions: 2 }), open({ partitions: 2 })])
  const [first] = nodes
  assert.equal((await first.appendMail(1, 'kept', 1, Buffer.from('x'), 5000)).is, 'stored')
  const grown = await open({ partitions: 3 })
  assert.deepEqual(await grown.appendMail(1, 'kept', 1, Buffer.from('x'), 5000), {
    is: 'stored',
    seq: 1,
    duplicate: true,
  })
  assert.equal((await grown.appendMail(2, 'new', 1, Buffer.from('x'), 5000)).is, 'stored')
  await refuses({ partitions: 2 }, /^Error: queue\.partitions: 2, but the queue has 3: partitions can only be added/)
  await refuses({ partitions: 3, replicas: 3 }, /^Error: queue\.replicas: 3 replicas need a cluster/)
})

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true))
    socket.once('error', () => resolve(false))
    socket.once('close', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}

/** Greets as an old server would. */
async function oldServer(version: string) {
  const server = createServer((socket) => {
    const info = { server_id: 'old', version, host: '127.0.0.1', port: 4222, headers: true, max_payload: MIB, proto: 1 }
    socket.write(`INFO ${JSON.stringify(info)}\r\n`)
    socket.on('data', (data) => {
      if (data.includes('PING')) socket.write('PONG\r\n')
    })
    socket.on('error', () => {})
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  return { address: `127.0.0.1:${address.port}`, close: () => server.close() }
}
