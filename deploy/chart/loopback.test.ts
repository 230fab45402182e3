// What the chart renders, started for real: three NATS servers, a delivery node and an edge on 127.0.0.1, by the rendered
// files, passwords, certificates, command lines and probes (loopback.ts says what is replaced).

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { jetstreamManager } from '@nats-io/jetstream'
import { connect, type NatsConnection } from 'nats'
import { createTransport } from 'nodemailer'
import { FakeMx } from '@posthouse/testkit/fake-mx'
import { requireNatsServer } from '@posthouse/testkit/nats-binary'
import { temporaryFolder, type TemporaryFolder } from '@posthouse/testkit/temporary-folder'
import { contentsOf, ofKind, type Rendering } from './manifest.ts'
import { ENTRY, HOST, Loopback, POSTHOUSE } from './loopback.ts'
import { renderScenario } from './scenarios.ts'

const PARTITIONS = 3
const USER = { name: 'app', addresses: ['@example.org'] }

function secret(rendering: Rendering, name: string): Record<string, string> {
  const found = ofKind(rendering, 'Secret').find(({ metadata }) => metadata.name === `mail-posthouse-${name}`)
  return found === undefined ? assert.fail(`there is no Secret ${name}`) : contentsOf(found)
}

interface Ended {
  readonly status: number | null
  readonly output: string
  readonly errors: string
}

/** A command of the image, in a container's environment. */
async function run(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Ended> {
  const child = spawn(process.execPath, args, {
    env: { ...env, PATH: process.env['PATH'] },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  const [status, output, errors] = await Promise.all([ended, text(child.stdout), text(child.stderr)])
  return { status, output, errors }
}

describe('a release on three NATS servers', () => {
  let folder: TemporaryFolder
  let rendering: Rendering
  let release: Loopback
  const connections: NatsConnection[] = []

  before(async () => {
    folder = await temporaryFolder('release')
    rendering = await renderScenario({
      name: 'a release',
      values: { edge: { users: [USER] }, queue: { partitions: PARTITIONS } },
    })
    release = await Loopback.start(rendering, folder.path, 3, ['delivery', 'edge', 'admin'])
  })
  after(async () => {
    for (const connection of connections) await connection.close()
    await release?.[Symbol.asyncDispose]()
    await folder?.remove()
  })

  /** As one of the users of the servers, with the certificate that all clients have. */
  async function as(user: string): Promise<NatsConnection> {
    const connection = await connect({
      servers: release.ports.nats.map(({ client }) => `${HOST}:${client}`),
      user,
      pass: secret(rendering, 'nats-users')[user] ?? '',
      inboxPrefix: `_INBOX.${user}`,
      tls: tls(),
      reconnect: false,
    })
    connections.push(connection)
    return connection
  }

  function tls() {
    const { 'ca.crt': ca, 'tls.crt': cert, 'tls.key': key } = secret(rendering, 'client-tls')
    return { ca, cert, key, host: HOST } as { ca: string; cert: string; key: string; host: string }
  }

  test('the delivery node has made the streams, three times over and within the room of the servers', async () => {
    const manager = await jetstreamManager(await as('operator'))
    const streams = await manager.streams.list().next()
    assert.deepEqual(
      streams.map(({ config }) => config.name).toSorted(),
      ['BODY', 'LOG', 'MAIL'].flatMap((kind) => Array.from({ length: PARTITIONS }, (_, p) => `${kind}_${p}`)),
    )
    assert.deepEqual([...new Set(streams.map(({ config }) => config.num_replicas))], [3])
    const reserved = streams.reduce((sum, { config }) => sum + config.max_bytes, 0)
    const { place } = await release.nats(0)
    const config = await readFile(place.at('/etc/nats/config/nats.conf'), 'utf8')
    const room = Number(/max_file_store: (\d+)/.exec(config)?.[1])
    assert.ok(reserved <= room && reserved > room * 0.9, `${reserved} of ${room}`)
  })

  test('a message goes in by STARTTLS and a rendered log-in, and comes out at the host that its route names', async () => {
    await using host = await FakeMx.start({ port: release.ports.test })
    const { 'ca.crt': ca } = secret(rendering, 'smtp-tls')
    const transport = createTransport({
      host: HOST,
      port: release.ports.submission,
      requireTLS: true,
      tls: { ca, servername: 'mail-posthouse.post.svc.cluster.local' },
      auth: { user: USER.name, pass: secret(rendering, 'users')[USER.name] },
    })
    const sent = await transport.sendMail({
      from: 'app@example.org',
      to: 'somebody@helm-test.invalid',
      subject: 'rendered',
      text: 'It came through.',
    })
    assert.match(sent.response, /^250 /)
    await host.until(({ messages }) => messages.length > 0)
    const [message] = host.messages
    assert.equal(message?.mail.split(' ')[0], '<app@example.org>')
    assert.match(
      message?.content.toString() ?? '',
      /^Received: [^]*\tby mail-posthouse\.post\.svc\.cluster\.local with ESMTPSA [^]*It came through\./,
    )
  })

  test('a user of the chart sends as its own addresses only, and with its own password only', async () => {
    const attempt = (pass: string | undefined, from: string) =>
      createTransport({
        host: HOST,
        port: release.ports.submissions,
        secure: true,
        tls: { rejectUnauthorized: false },
        auth: { user: USER.name, pass: pass ?? '' },
      })
        .sendMail({ from, to: 'somebody@helm-test.invalid', text: 'x' })
        .then(
          ({ response }) => response,
          (error: Error & { response?: string }) => error.response ?? error.message,
        )
    const password = secret(rendering, 'users')[USER.name]
    assert.match(await attempt(password, 'app@example.net'), /^55\d /)
    assert.match(await attempt(`${password}x`, 'app@example.org'), /^535 /)
  })

  test('what `helm test` runs sends a message through by itself', async () => {
    const { place } = await release.test()
    const { status, output, errors } = await run([ENTRY, ...place.words], place.env)
    assert.equal(status, 0, `${output}${errors}`)
  })

  test('`posthouse queue count` in the pod of a delivery node shows the queue', async () => {
    const { place } = await release.service('delivery')
    const { status, output, errors } = await run([POSTHOUSE, 'queue', 'count', '--json'], place.env)
    assert.equal(status, 0, errors)
    const { partitions } = JSON.parse(output) as { partitions: { owner?: string }[] }
    assert.deepEqual(
      partitions.map(({ owner }) => owner),
      Array.from({ length: PARTITIONS }, () => 'mail-posthouse-delivery'),
    )
  })

  test('an admin node tells the figures of the queue, and `posthouse trace` in the pod of a delivery node asks it', async () => {
    const metrics = await (await fetch(`http://${HOST}:${release.ports.admin}/metrics`)).text()
    assert.match(metrics, /^posthouse_admin_exports 1$/m)
    assert.match(metrics, /^posthouse_queue_owned\{partition="0"\} 1$/m)
    assert.match(metrics, /^posthouse_nats_stream_replicas\{kind="mail",partition="0"\} 3$/m)
    const { place } = await release.service('delivery')
    const { status, output, errors } = await run([POSTHOUSE, 'trace', 'app@example.org', '--json'], place.env)
    assert.equal(status, 0, errors)
    assert.match(output, /"node":"mail-posthouse-admin"/)
  })

  describe('by the permissions of the servers', () => {
    /** What a user who may not do it hears. */
    const refusal = (connection: NatsConnection, subject: string, payload = '') =>
      connection.request(subject, payload, { timeout: 3000 }).then(
        (answer) => answer.json<{ error?: { description: string } }>().error?.description ?? 'done',
        ({ message, cause }: Error) => `${message} ${cause instanceof Error ? cause.message : ''}`,
      )
    const READS: [string, string][] = [
      ['$JS.API.STREAM.MSG.GET.MAIL_0', '{"seq":1}'],
      ['$JS.API.DIRECT.GET.MAIL_0', '{"seq":1}'],
      ['$JS.API.CONSUMER.CREATE.MAIL_0.thief', '{"stream_name":"MAIL_0","config":{"name":"thief"}}'],
    ]

    test('an edge can read no mail and remove none', async () => {
      const edge = await as('edge')
      for (const [subject, payload] of [...READS, ['$JS.API.STREAM.PURGE.MAIL_0', ''] as const]) {
        assert.match(await refusal(edge, subject, payload), /permissions violation/i, subject)
      }
      const heard = edge.subscribe('mail.>')[Symbol.asyncIterator]()
      await assert.rejects(heard.next(), /permissions violation/i)
    })

    test('a delivery node can, so that it is the permission that keeps an edge from it', async () => {
      const delivery = await as('delivery')
      const [subject, payload] = READS[0] as [string, string]
      // There may be no such message any more; that, too, is an answer.
      assert.doesNotMatch(await refusal(delivery, subject, payload), /permissions violation/i)
    })

    test('the command line can read and change nothing', async () => {
      const cli = await as('cli')
      for (const subject of ['$JS.API.STREAM.PURGE.MAIL_0', '$JS.API.STREAM.DELETE.MAIL_0', 'mail.0.1']) {
        assert.match(await refusal(cli, subject), /permissions violation/i, subject)
      }
      assert.equal(await refusal(cli, '$JS.API.STREAM.NAMES'), 'done')
    })

    test('nobody gets in without a certificate of the release, or with the password of another', async () => {
      const servers = [`${HOST}:${release.ports.nats[0]?.client}`]
      const { edge: pass = '', delivery = '' } = secret(rendering, 'nats-users')
      const { ca, host } = tls()
      const bare = { servers, user: 'edge', reconnect: false, timeout: 5000 }
      await assert.rejects(connect({ ...bare, pass, tls: { ca, host } as object }))
      await assert.rejects(connect({ ...bare, pass: delivery, tls: tls() }), /authorization/i)
      await (await connect({ ...bare, pass, tls: tls() })).close()
    })
  })

  test('no server has had anything to complain of in what the nodes did', async () => {
    for (const index of release.ports.nats.keys()) {
      const log = await readFile(release.output(`nats-${index}`), 'utf8')
      const complaints = log.split('\n').filter((line) => /\[(ERR|FTL)\]/.test(line))
      // The servers come one after the other. The rest is what the tests above have done.
      const expected = /connect to route .* connection refused|cid:\d+ .*(violation|authentication error|handshake)/i
      assert.deepEqual(
        complaints.filter((line) => !expected.test(line)),
        [],
      )
    }
    for (const name of ['edge', 'delivery', 'admin']) {
      assert.doesNotMatch(await readFile(release.output(name), 'utf8'), /permissions violation/, name)
    }
  })

  test('what runs before a server is stopped sends its clients away, and it ends by itself', async () => {
    const { place, container } = await release.nats(2)
    const [program, ...args] = container.lifecycle?.preStop?.exec?.command ?? []
    assert.equal(program, 'nats-server')
    const told = spawnSync(
      requireNatsServer().path,
      args.map((word) => word.replace('/run/nats', place.at('/run/nats'))),
    )
    assert.equal(told.status, 0, String(told.stderr))
    assert.equal((await release.server(2).exited).code, 0)
    // A message still goes through by the two that are left.
    const probe = await release.test()
    const { status, output, errors } = await run([ENTRY, ...probe.place.words], probe.place.env)
    assert.equal(status, 0, `${output}${errors}`)
  })
})

describe('a single NATS server with encryption', () => {
  test('keeps nothing on its volume that could be read', async () => {
    await using folder = await temporaryFolder('release')
    const find = async (encryption: boolean) => {
      const rendering = await renderScenario({
        name: 'encryption',
        values: { nats: { replicas: 1, encryption: { enabled: encryption } } },
      })
      await using release = await Loopback.start(rendering, join(folder.path, String(encryption)), 1)
      const { 'ca.crt': ca = '', 'tls.crt': cert = '', 'tls.key': key = '' } = secret(rendering, 'client-tls')
      const connection = await connect({
        servers: [`${HOST}:${release.ports.nats[0]?.client}`],
        user: 'operator',
        pass: secret(rendering, 'nats-users')['operator'] ?? '',
        tls: { ca, cert, key },
      })
      const manager = await jetstreamManager(connection)
      await manager.streams.add({ name: 'MAIL_0', subjects: ['mail.>'] })
      await connection.request('mail.0.1', 'a very plain text')
      await connection.close()
      const volume = (await release.nats(0)).place.at('/data')
      const files = await readdir(volume, { recursive: true, withFileTypes: true })
      const contents = await Promise.all(
        files.filter((entry) => entry.isFile()).map((entry) => readFile(join(entry.parentPath, entry.name))),
      )
      return contents.some((content) => content.includes('a very plain text'))
    }
    assert.equal(await find(false), true)
    assert.equal(await find(true), false)
  })
})
