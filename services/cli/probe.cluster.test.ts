import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { stringify } from 'yaml'
import { makeStreams } from '@posthouse/queue/jetstream/jetstream-store'
import { SILENT } from '@posthouse/queue/log'
import { freePorts } from '@posthouse/testkit/free-port'
import { NatsCluster } from '@posthouse/testkit/nats-cluster'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { TlsAuthority } from '@posthouse/testkit/tls-authority'
import { runPosthouse } from './test/child.ts'

/** A node as a process of its own, once it says that it is ready; ended with the test. */
async function node(service: 'edge' | 'delivery', config: string): Promise<AsyncDisposable> {
  const main = join(import.meta.dirname, '..', service, 'main.ts')
  const child = spawn(process.execPath, [main, '--config', config], { stdio: ['ignore', 'ignore', 'pipe'] })
  const ended = once(child, 'exit')
  const lines: string[] = []
  const ready = new Promise<void>((resolve) => {
    createInterface(child.stderr).on('line', (line) => {
      lines.push(line)
      if (line.includes('"msg":"ready"')) resolve()
    })
  })
  await Promise.race([ready, ended.then(() => assert.fail(lines.join('\n')))])
  return {
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      await ended
    },
  }
}

test('a probe goes through a real edge and a real delivery node, and says so when there is none to deliver it', async () => {
  await using folder = await temporaryFolder('probe')
  await using nats = await NatsCluster.start({ servers: 1 })
  const { servers, user, password } = nats
  await makeStreams({ servers, user, password, name: 'test', partitions: 1, replicas: 1, log: SILENT })
  const [submission = 0, listen = 0, edgeHttp, deliveryHttp] = await freePorts(4)
  const file = (name: string) => join(folder.path, name)
  const { caFile, ...authority } = await certificates(folder.path)
  await writeFile(file('nats-password'), password)
  await writeFile(file('password'), 'open sesame\n')
  const login = ['--password-file', file('password')]
  const grant = ['user', 'add', 'anna', '--address', 'anna@example.org', '--file', file('users.yaml')]
  const added = await runPosthouse([...grant, ...login])
  assert.equal(added.status, 0, added.errors)

  const queue = { nats: { servers, user, passwordFile: 'nats-password' }, queue: { partitions: 1, replicas: 1 } }
  const edgeSettings = {
    name: 'edge-1',
    hostname: 'edge-1.example',
    http: { port: edgeHttp },
    ...queue,
    listeners: [{ role: 'submission', host: '127.0.0.1', port: submission }],
    tls: authority,
    usersFile: 'users.yaml',
  }
  const deliverySettings = {
    name: 'delivery-1',
    hostname: 'delivery-1.example',
    http: { port: deliveryHttp },
    ...queue,
    route: { smarthosts: [`127.0.0.1:${listen}`] },
    retry: { first: '1s' },
  }
  await writeFile(file('edge.yaml'), stringify(edgeSettings))
  await writeFile(file('delivery.yaml'), stringify(deliverySettings))
  await writeFile(file('cli.yaml'), stringify({ nats: queue.nats }))
  const environment = { POSTHOUSE_CONFIG: file('cli.yaml') }

  const edge = ['--edge', `localhost:${submission}`, '--ca-file', caFile, '--user', 'anna', ...login]
  const out = ['--to', 'probe@example.net', '--listen', `127.0.0.1:${listen}`]
  const probe = (from: string, ...more: readonly string[]) =>
    runPosthouse(['probe', ...edge, ...out, '--from', from, ...more])

  await using _edge = await node('edge', file('edge.yaml'))
  const refused = await probe('bob@example.org')
  assert.equal(refused.status, 69)
  assert.match(refused.errors, /^posthouse: localhost:\d+ refuses the sender <bob@example\.org>: 553 5\.7\.1 .*\n$/)

  const waiting = await probe('anna@example.org', '--timeout', '5s')
  assert.equal(waiting.status, 1, waiting.errors)
  const id = /; posthouse queue show (\S+) tells\n$/.exec(waiting.errors)?.[1] ?? ''
  const shown = await runPosthouse(['queue', 'show', id, '--json'], { environment })
  assert.equal(shown.status, 0, shown.errors)
  assert.match(shown.output, /"probe@example\.net"/)

  await using _delivery = await node('delivery', file('delivery.yaml'))
  const through = await probe('anna@example.org', '--json')
  assert.equal(through.status, 0, through.errors)
  const answer = JSON.parse(through.output) as {
    accepted: { edge: string; reply: string; tls: string }
    out: { from: string }
  }
  const { accepted } = answer
  assert.deepEqual(
    [accepted.edge, accepted.tls, answer.out.from],
    ['edge-1.example', 'TLSv1.3', 'delivery-1.example [127.0.0.1]'],
  )
  assert.match(accepted.reply, /^250 2\.0\.0 Ok: queued as /)
})

async function certificates(folder: string) {
  const authority = await TlsAuthority.create(folder)
  const { certFile, keyFile } = await authority.issue(['localhost'])
  return { caFile: authority.caFile, certFile, keyFile }
}
