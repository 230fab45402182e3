import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import { makeStreams } from '@posthouse/queue/jetstream/jetstream-store'
import { SILENT } from '@posthouse/queue/log'
import { freePorts } from '@posthouse/testkit/free-port'
import { NatsCluster } from '@posthouse/testkit/nats-cluster'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { Client } from './test/client.ts'

const main = fileURLToPath(new URL('main.ts', import.meta.url))

/** The process and what it wrote to standard error. */
async function run(
  folder: string,
  settings: Record<string, unknown>,
): Promise<{ process: ChildProcess; text(): string }> {
  const [http] = await freePorts(1)
  const config = join(folder, 'edge.yaml')
  writeFileSync(config, stringify({ name: 'edge-1', hostname: 'edge.example', http: { port: http }, ...settings }))
  const child = spawn(process.execPath, [main, '--config', config], { stdio: ['ignore', 'ignore', 'pipe'] })
  let text = ''
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  return { process: child, text: () => text }
}

test('takes mail into a real queue, and leaves in good order', async () => {
  await using folder = await temporaryFolder('edge')
  await using nats = await NatsCluster.start({ servers: 1 })
  const passwordFile = join(folder.path, 'password')
  writeFileSync(passwordFile, nats.password)
  const { servers, user, password } = nats
  await makeStreams({ servers, user, password, name: 'test', partitions: 1, replicas: 1, log: SILENT })
  const [port] = await freePorts(1)
  const edge = await run(folder.path, {
    nats: { servers: nats.servers, user: nats.user, passwordFile },
    queue: { partitions: 1, replicas: 1 },
    listeners: [{ role: 'relay', host: '127.0.0.1', port, networks: ['127.0.0.0/8'] }],
  })
  while (!edge.text().includes('"msg":"ready"')) {
    assert.equal(edge.process.exitCode, null, edge.text())
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const client = await Client.greeted(port ?? 0)
  const small = 'Subject: x\r\n\r\nbody\r\n.\r\n'
  const large = `Subject: x\r\n\r\n${'0123456789\r\n'.repeat(50_000)}.\r\n`
  for (const content of [small, large, small]) {
    assert.match(await client.mail('a@b.example', 'c@d.example', content), /^250 2\.0\.0 Ok: queued as /)
  }
  const exit = once(edge.process, 'exit')
  edge.process.kill('SIGTERM')
  assert.equal(await client.reply(), '421 4.3.2 Service shutting down, closing connection')
  assert.deepEqual(await exit, [0, null], edge.text())
})

test('three mistakes in the settings are three lines, before anything starts', async () => {
  await using folder = await temporaryFolder('edge')
  const edge = await run(folder.path, {
    listeners: [{ role: 'relay', port: 70_000 }],
    limits: { messageSize: '1B' },
    usersFiel: 'x',
  })
  assert.deepEqual(await once(edge.process, 'exit'), [78, null])
  const lines = edge.text().trimEnd().split('\n')
  assert.equal(lines.length, 3, edge.text())
  for (const path of ['listeners[0].port', 'limits.messageSize', 'usersFiel']) {
    assert.ok(
      lines.some((line) => line.startsWith(path)),
      path,
    )
  }
})

test('without a NATS server the start ends with one line that names the setting', async () => {
  await using folder = await temporaryFolder('edge')
  const [nats, port] = await freePorts(2)
  const edge = await run(folder.path, {
    nats: { servers: [`127.0.0.1:${nats}`] },
    listeners: [{ role: 'relay', host: '127.0.0.1', port, networks: ['127.0.0.0/8'] }],
  })
  assert.deepEqual(await once(edge.process, 'exit'), [1, null])
  const fatal = edge
    .text()
    .split('\n')
    .filter((line) => line.includes('"level":"fatal"'))
  assert.equal(fatal.length, 1)
  assert.match(fatal[0] ?? '', /nats\.servers: no NATS server answers at 127\.0\.0\.1:\d+/)
})
