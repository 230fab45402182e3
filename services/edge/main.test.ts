import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
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
  environment: Readonly<Record<string, string>> = {},
): Promise<{ process: ChildProcess; text(): string }> {
  const [http] = await freePorts(1)
  const config = join(folder, 'edge.yaml')
  writeFileSync(config, stringify({ name: 'edge-1', hostname: 'edge.example', http: { port: http }, ...settings }))
  const child = spawn(process.execPath, [main, '--config', config], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
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

test('in Kubernetes a relay for everybody is not started; the settings by themselves are judged alike everywhere', async () => {
  await using folder = await temporaryFolder('edge')
  const [port] = await freePorts(1)
  const listeners = [{ role: 'relay', host: '127.0.0.1', port, networks: ['0.0.0.0/0'] }]
  const inKubernetes = { KUBERNETES_SERVICE_HOST: '10.96.0.1' }
  // Named, because the machine of the test may have no network.
  const cluster = { nodeAddresses: ['192.0.2.7'] }
  const edge = await run(folder.path, { listeners, cluster }, inKubernetes)
  assert.deepEqual(await once(edge.process, 'exit'), [78, null])
  assert.match(edge.text(), /^listeners\[0\]\.networks: 0\.0\.0\.0\/0 .*SNAT.*allowClusterNetworks\n$/)

  const config = join(folder.path, 'check.yaml')
  writeFileSync(config, stringify({ name: 'edge-1', hostname: 'edge.example', http: { port: 0 }, listeners }))
  const [inside, outside] = [inKubernetes, {}].map((environment) => {
    const { KUBERNETES_SERVICE_HOST: _, ...rest } = process.env
    const args = [main, '--config', config, '--print-settings']
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { env: { ...rest, ...environment } })
    return { status, text: String(stdout), errors: String(stderr) }
  })
  assert.deepEqual(inside, outside)
  assert.deepEqual([inside?.status, inside?.errors], [0, ''])
})

test('in Kubernetes a relay for the network of the pod itself is not started', async () => {
  await using folder = await temporaryFolder('edge')
  const [nats, port] = await freePorts(2)
  const addresses = Object.values(networkInterfaces()).flat()
  const outer = addresses.find((found) => found?.internal === false)?.address
  const settings = {
    nats: { servers: [`127.0.0.1:${nats}`], patience: '0s' },
    listeners: [{ role: 'relay', host: '127.0.0.1', port, networks: [outer ?? '192.0.2.7'] }],
  }
  const edge = await run(folder.path, settings, { KUBERNETES_SERVICE_HOST: '10.96.0.1' })
  // Where there is nothing but loopback nothing can be known, and the start goes on, to the queue that is not there.
  assert.deepEqual(await once(edge.process, 'exit'), [outer === undefined ? 1 : 78, null])
  assert.match(edge.text(), outer === undefined ? /nats\.servers: / : /^listeners\[0\]\.networks: .* of this pod\)/)
})

test('without a NATS server the start ends with one line that names the setting', async () => {
  await using folder = await temporaryFolder('edge')
  const [nats, port] = await freePorts(2)
  const edge = await run(folder.path, {
    nats: { servers: [`127.0.0.1:${nats}`], patience: '0s' },
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
