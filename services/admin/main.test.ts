import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import { connectAcceptQueue } from '@posthouse/queue/accept-queue'
import { makeStreams } from '@posthouse/queue/jetstream/jetstream-store'
import { SILENT } from '@posthouse/queue/log'
import { askTrace } from '@posthouse/queue/admin-client'
import { freePorts } from '@posthouse/testkit/free-port'
import { mailRecord } from '@posthouse/testkit/mail-record'
import { NatsCluster } from '@posthouse/testkit/nats-cluster'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'

const main = fileURLToPath(new URL('main.ts', import.meta.url))

/** What the HTTP server of the node answers, once it is what is waited for. */
async function get(url: string, isIt: (text: string, status: number) => boolean): Promise<string> {
  for (;;) {
    const reply = await fetch(url).catch(() => undefined)
    const text = (await reply?.text()) ?? ''
    if (reply !== undefined && isIt(text, reply.status)) return text
    await pause(50)
  }
}

test('on a real queue it is ready, tells its figures, indexes what is accepted, answers, and leaves in good order', async () => {
  await using folder = await temporaryFolder('admin')
  await using nats = await NatsCluster.start({ servers: 1 })
  const passwordFile = join(folder.path, 'password')
  writeFileSync(passwordFile, nats.password)
  const { servers, user, password } = nats
  const options = { servers, user, password, log: SILENT }
  await makeStreams({ ...options, name: 'test', partitions: 2, replicas: 1 })
  const edge = await connectAcceptQueue({ ...options, name: 'edge-1', partitions: 2, replicas: 1 })
  const { envelope, content } = mailRecord('AAAAAAAA00001', { acceptedAt: Date.now() })
  const accepted = { node: 'edge-1', client: '192.0.2.9', role: 'relay', messageId: 'one@example.org' }
  const record = { envelope: { ...envelope, accepted }, content }
  assert.deepEqual(await new Promise((resolve) => edge.accept(record, resolve)), { is: 'stored' })
  await edge.close()
  const [port] = await freePorts(1)
  const config = join(folder.path, 'admin.yaml')
  writeFileSync(
    config,
    stringify({
      name: 'admin-1',
      hostname: 'admin.example',
      http: { port },
      data: { folder: 'data' },
      nats: { servers, user, passwordFile },
      queue: { partitions: 2, replicas: 1 },
    }),
  )
  const child = spawn(process.execPath, [main, '--config', config], { stdio: ['ignore', 'ignore', 'pipe'] })
  let log = ''
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (log += chunk))
  const exited = once(child, 'exit')
  const url = `http://127.0.0.1:${port}`
  await Promise.race([get(`${url}/readyz`, (_text, status) => status === 200), exited.then(() => assert.fail(log))])
  const text = await get(`${url}/metrics`, (metrics) => /^posthouse_admin_exports 1$/m.test(metrics))
  for (const line of [
    /^posthouse_queue_owned\{partition="0"\} 0$/m,
    /^posthouse_nats_stream_leader\{kind="log",partition="1"\} 1$/m,
    /^posthouse_nats_server_online\{server="[^"]+"\} 1$/m,
    /^posthouse_nats_connected 1$/m,
    /^posthouse_nats_storage_used_bytes [1-9]/m,
  ])
    assert.match(text, line)
  const ask = () => askTrace({ ...options, name: 'test' }, { query: 'r0@example.net', limit: 5 })
  let told = await ask()
  while (told.stories.length === 0) told = await ask()
  assert.deepEqual(
    told.stories.map(({ message, events }) => [message, ...events.map(({ type }) => type)]),
    [['AAAAAAAA00001', 'accepted']],
  )
  assert.equal(told.node, 'admin-1')
  child.kill('SIGTERM')
  assert.deepEqual(await exited, [0, null], log)
})
