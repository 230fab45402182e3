import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import { scanContent } from '@posthouse/core/scan'
import { connectAcceptQueue } from '@posthouse/queue/accept-queue'
import { makeStreams } from '@posthouse/queue/jetstream/jetstream-store'
import { SILENT } from '@posthouse/queue/log'
import { FakeMx } from '@posthouse/testkit/fake-mx'
import { freePorts } from '@posthouse/testkit/free-port'
import { NatsCluster } from '@posthouse/testkit/nats-cluster'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'

const main = fileURLToPath(new URL('main.ts', import.meta.url))

/** The process and what it wrote to standard error. */
async function run(
  folder: string,
  settings: Record<string, unknown>,
): Promise<{ process: ChildProcess; http: string; text(): string }> {
  const [port] = await freePorts(1)
  const config = join(folder, 'delivery.yaml')
  writeFileSync(config, stringify({ name: 'delivery-1', hostname: 'delivery.example', http: { port }, ...settings }))
  const child = spawn(process.execPath, [main, '--config', config], { stdio: ['ignore', 'ignore', 'pipe'] })
  let text = ''
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  return { process: child, http: `http://127.0.0.1:${port}`, text: () => text }
}

test('delivers from a real queue, says how it is, and leaves in good order', async () => {
  await using folder = await temporaryFolder('delivery')
  await using nats = await NatsCluster.start({ servers: 1 })
  const passwordFile = join(folder.path, 'password')
  writeFileSync(passwordFile, nats.password)
  await using mx = await FakeMx.start()
  const { servers, user, password } = nats
  const options = { servers, user, password, partitions: 1, replicas: 1, log: SILENT }
  await makeStreams({ ...options, name: 'test' })
  const edge = await connectAcceptQueue({ ...options, name: 'edge-1' })
  const content = Buffer.from('Subject: x\r\n\r\n..body\r\n')
  const envelope = {
    id: 'AAAAAAAA00001',
    from: 'a@example.org',
    recipients: [{ address: 'b@example.com', index: 0 }],
    acceptedAt: Date.now(),
    storedAt: 0,
    origin: 0,
    attempts: { count: 0 },
    facts: scanContent(content),
  }
  const fate = await new Promise((resolve) => edge.accept({ envelope, content }, resolve))
  assert.deepEqual(fate, { is: 'stored' })
  const delivery = await run(folder.path, {
    nats: { servers: nats.servers, user: nats.user, passwordFile },
    queue: { partitions: 1, replicas: 1 },
    route: { smarthosts: [`127.0.0.1:${mx.port}`] },
  })
  const stopped = once(delivery.process, 'exit')
  await Promise.race([mx.until(() => mx.messages.length === 1), stopped])
  assert.equal(mx.messages[0]?.content.toString(), content.toString(), delivery.text())
  assert.equal((await fetch(`${delivery.http}/readyz`)).status, 200)
  assert.match(await (await fetch(`${delivery.http}/metrics`)).text(), /posthouse_delivery_transactions_total\S* 1\n/)
  delivery.process.kill('SIGTERM')
  assert.deepEqual(await stopped, [0, null], delivery.text())
  assert.equal(mx.commands.at(-1), 'QUIT')
  const line = delivery
    .text()
    .split('\n')
    .find((text) => text.includes('"msg":"delivered"'))
  assert.match(line ?? '', /"id":"AAAAAAAA00001"/)
  await edge.close()
})

test('a source address that the machine does not have ends the start with one line that names the setting', async () => {
  await using folder = await temporaryFolder('delivery')
  await using nats = await NatsCluster.start({ servers: 1 })
  const passwordFile = join(folder.path, 'password')
  writeFileSync(passwordFile, nats.password)
  const lost = await run(folder.path, {
    nats: { servers: nats.servers, user: nats.user, passwordFile },
    queue: { partitions: 1, replicas: 1 },
    egress: { addresses: ['127.0.0.1', '192.0.2.77'] },
  })
  assert.deepEqual(await once(lost.process, 'exit'), [1, null])
  assert.match(lost.text(), /"level":"fatal".*egress\.addresses: 192\.0\.2\.77: this machine has no such address/)
})

test('each mistake in the settings is a line, before anything starts', async () => {
  await using folder = await temporaryFolder('delivery')
  const wrong = await run(folder.path, {
    route: { smarthosts: ['nowhere'], domains: [{ domain: 'example.org' }] },
    retry: { first: '1s', longest: '2d' },
    lifetim: '1d',
  })
  assert.deepEqual(await once(wrong.process, 'exit'), [78, null])
  const lines = wrong.text().trimEnd().split('\n')
  assert.equal(lines.length, 4, wrong.text())
  for (const path of ['route.smarthosts', 'route.domains[0].hosts', 'retry.longest', 'lifetim'])
    assert.ok(
      lines.some((line) => line.startsWith(path)),
      path,
    )
})

test('settings that contradict each other are lines, too', async () => {
  await using folder = await temporaryFolder('delivery')
  const wrong = await run(folder.path, {
    route: { domains: [{ domain: '*.example.org', hosts: ['gw:25'] }] },
    egress: { addresses: ['127.0.0.1'], socks: ['127.0.0.1:1080'] },
  })
  assert.deepEqual(await once(wrong.process, 'exit'), [78, null])
  assert.match(wrong.text(), /^route\.domains\[0\]\.domain: .*\negress\.addresses: .*\n$/)
})

test('without a NATS server the start ends with one line that names the setting', async () => {
  await using folder = await temporaryFolder('delivery')
  const [nats] = await freePorts(1)
  const alone = await run(folder.path, { nats: { servers: [`127.0.0.1:${nats}`], patience: '0s' } })
  assert.deepEqual(await once(alone.process, 'exit'), [1, null])
  const fatal = alone
    .text()
    .split('\n')
    .filter((line) => line.includes('"level":"fatal"'))
  assert.equal(fatal.length, 1)
  assert.match(fatal[0] ?? '', /nats\.servers: no NATS server answers/)
})
