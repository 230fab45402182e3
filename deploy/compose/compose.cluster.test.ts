// deploy/compose.yaml at work, without Docker: its three NATS servers, edges, delivery nodes and HAProxy, with their own files, on
// loopback. Mail goes in through HAProxy and comes out at a smarthost; edges that stop or freeze are noticed.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { debianProgram } from '@posthouse/testkit/debian-program'
import { FakeMx } from '@posthouse/testkit/fake-mx'
import { requireNatsServer } from '@posthouse/testkit/nats-binary'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { createTransport } from 'nodemailer'
import { balancerState, type ServerState } from './test/balancer-state.ts'
import { copiedFolder, HOSTNAME } from './test/copied-folder.ts'
import { Site, type Program } from './test/site.ts'
import { SmtpTalk } from './test/smtp-talk.ts'

const CLIENT = '127.0.0.3'
const USER = { user: 'anna', pass: 'a horse, a courier' }
const EDGES = ['edge-1', 'edge-2'] as const
const NATS = ['nats-1', 'nats-2', 'nats-3'] as const

test('the services of Compose', { timeout: 300_000 }, async (t) => {
  const haproxy = await debianProgram('haproxy', 'haproxy', (line) => t.diagnostic(line))
  await using folder = await copiedFolder()
  await using place = await temporaryFolder('site')
  await folder.init(HOSTNAME)
  await using smarthost = await FakeMx.start()
  const site = await Site.create(folder.composeFile, place.path, HOSTNAME)
  t.after(() => site.stop())
  const port = (inside: number): number => site.port('haproxy', inside)

  await t.test('the NATS servers take their configuration, and become a cluster', async () => {
    const binary = requireNatsServer().path
    for (const name of NATS) {
      const program = site.nats(name, binary)
      const check = spawnSync(program.command, ['-t', ...program.args], { encoding: 'utf8', env: program.environment })
      assert.equal(check.status, 0, check.stderr)
      assert.match(check.stderr, /is valid/)
      await site.start(name, program)
    }
    for (const name of NATS) {
      await site.until(name, async () => (await status(site.port(name, 8222), '/healthz')) === 200)
    }
    const routes = await (await fetch(`http://127.0.0.1:${site.port('nats-1', 8222)}/jsz`)).json()
    assert.equal((routes as { meta_cluster: { cluster_size: number } }).meta_cluster.cluster_size, NATS.length)
  })

  await t.test('the nodes start with their settings and are ready', async () => {
    const environment = { POSTHOUSE_ROUTE_SMARTHOSTS: `127.0.0.1:${smarthost.port}` }
    for (const name of ['delivery-1', 'delivery-2', ...EDGES, 'admin-1']) {
      const program = site.posthouse(name)
      // An edge that stops does so until the test has seen it.
      const more = name.startsWith('edge')
        ? { POSTHOUSE_STOP_NOT_READY_FOR: '39s' }
        : name.startsWith('delivery')
          ? environment
          : {}
      await site.start(name, { ...program, environment: { ...program.environment, ...more } })
    }
    for (const name of ['delivery-1', 'delivery-2', ...EDGES, 'admin-1']) {
      await site.until(name, async () => (await status(site.port(name, 8080), '/readyz')) === 200)
    }
  })

  await t.test('the admin node tells the figures of the queue', async () => {
    const url = `http://127.0.0.1:${site.port('admin-1', 8080)}/metrics`
    await site.until('admin-1', async () => /^posthouse_queue_owned.* 1$/m.test(await (await fetch(url)).text()))
  })

  await t.test('HAProxy takes its configuration without a warning, and finds the edges', async () => {
    const program = site.haproxy(haproxy)
    const check = spawnSync(haproxy, ['-c', ...program.args], { encoding: 'utf8' })
    assert.equal(check.status, 0, check.stderr)
    assert.doesNotMatch(check.stderr, /WARNING|ALERT/)
    await site.start('haproxy', program)
    await site.until('haproxy', async () => (await status(port(8404), '/healthz')) === 200)
    await site.until('haproxy', () => edgesAre('UP', 'UP'))
    // No containers of these names: out, without a complaint.
    const state = await balancerState(port(8404))
    assert.match(state.get('relay/edge-3')?.status ?? '', /^MAINT/)
    assert.match(await (await fetch(`http://127.0.0.1:${port(8404)}/metrics`)).text(), /^haproxy_server_status\{/m)
  })

  await t.test('a user added by the command line sends, and the mail says where from', async () => {
    const added = await run(
      site.posthouse('posthouse', 'user', 'add', USER.user, '--address', '@example.org'),
      USER.pass,
    )
    assert.equal(added.code, 0, added.output)
    for (const name of EDGES) await site.until(name, () => site.log(name).includes('"users read again"'))
    for (const [inside, secure] of [
      [2587, false],
      [2465, true],
    ] as const) {
      const subject = `through ${inside}`
      await send(inside, secure, subject)
      await smarthost.until((mx) => mx.messages.some(({ content }) => content.includes(subject)))
      const message = smarthost.messages.find(({ content }) => content.includes(subject))
      const received = /^Received: [^\r]*(?:\r\n[ \t][^\r]*)*/m.exec(message?.content.toString() ?? '')?.[0] ?? ''
      assert.match(received, new RegExp(`\\[${CLIENT}\\]`))
      assert.match(received, new RegExp(`\\bby ${HOSTNAME}\\b`))
      assert.equal(message?.rcpt[0]?.includes('bob@example.net'), true)
    }
  })

  await t.test('nobody sends through port 25 until networks are named', async () => {
    const talk = await SmtpTalk.open(port(2525), CLIENT)
    assert.match(talk.greeting, new RegExp(`^220 ${HOSTNAME} `))
    assert.match(await talk.say('EHLO client.example'), /^250 /)
    const replies = [await talk.say('MAIL FROM:<anna@example.org>'), await talk.say('RCPT TO:<bob@example.net>')]
    assert.match(replies.find((reply) => !reply.startsWith('250')) ?? '', /^550 /)
    talk.destroy()
  })

  await t.test('the command line reads the queue with a user of its own', async () => {
    for (;;) {
      const counted = await run(site.posthouse('posthouse', 'queue', 'count', '--json'))
      assert.equal(counted.code, 0, counted.output)
      const { count, partitions } = JSON.parse(counted.output) as { count: number; partitions: { owner?: string }[] }
      assert.equal(partitions.length, 6)
      for (const { owner } of partitions) assert.match(owner ?? '', /^delivery-[12]$/)
      // What was delivered is closed a moment later.
      if (count === 0) break
      await sleep(50)
    }
  })

  await t.test(
    'an edge that freezes is taken out, its clients come again, and it is used when it is back',
    async () => {
      const { talk, edge, other } = await talkTo('submission', 2587)
      site.child(edge).kill('SIGSTOP')
      await talk.closed
      await send(2587, false, 'while one is frozen')
      assert.match((await balancerState(port(8404))).get(`submission/${other}`)?.status ?? '', /^UP/)
      site.child(edge).kill('SIGCONT')
      await site.until(edge, () => edgesAre('UP', 'UP'))
    },
  )

  await t.test('an edge that stops keeps the clients that it has and gets no others', async () => {
    const { talk, edge, other } = await talkTo('submission', 2587)
    site.child(edge).kill('SIGTERM')
    const seen = (state: ReadonlyMap<string, ServerState>): boolean =>
      ['relay', 'submission', 'submissions'].every((role) => state.get(`${role}/${edge}`)?.status.startsWith('NOLB'))
    await site.until(edge, async () => seen(await balancerState(port(8404))))
    assert.match(await talk.say('NOOP'), /^250 /)
    const others = await Promise.all(Array.from({ length: 4 }, () => SmtpTalk.open(port(2587), CLIENT)))
    const state = await balancerState(port(8404))
    assert.deepEqual(
      [state.get(`submission/${edge}`)?.sessions, state.get(`submission/${other}`)?.sessions],
      [1, others.length],
    )
    for (const one of [talk, ...others]) one.destroy()
    // A second signal: it need not wait for the rest of its time.
    site.child(edge).kill('SIGTERM')
    assert.deepEqual(await site.child(edge).exited, { code: 143, signal: null })
    await send(2465, true, 'while one is gone')
  })

  await t.test('HAProxy says what it sees to its log', () => {
    assert.match(site.log('haproxy'), /Server relay\/edge-[12] is (stopping|DOWN)/)
  })

  async function edgesAre(...wanted: readonly string[]): Promise<boolean> {
    const state = await balancerState(port(8404))
    return ['relay', 'submission', 'submissions'].every((role) =>
      EDGES.every((edge, index) => state.get(`${role}/${edge}`)?.status.startsWith(wanted[index] ?? '?')),
    )
  }

  /** A client of one of the edges, and which. */
  async function talkTo(role: string, inside: number) {
    const talk = await SmtpTalk.open(port(inside), CLIENT)
    assert.match(await talk.say('EHLO client.example'), /^250 /)
    const state = await balancerState(port(8404))
    const busy = EDGES.filter((edge) => state.get(`${role}/${edge}`)?.sessions === 1)
    const [edge] = busy
    assert.ok(edge !== undefined && busy.length === 1, 'one client, and no others')
    return { talk, edge, other: EDGES.find((one) => one !== edge) ?? '' }
  }

  async function send(inside: number, secure: boolean, subject: string): Promise<void> {
    const ca = readFileSync(join(folder.secrets, 'tls/tls.crt'))
    const transport = createTransport({
      host: '127.0.0.1',
      port: port(inside),
      localAddress: CLIENT,
      secure,
      requireTLS: !secure,
      auth: USER,
      tls: { ca, servername: HOSTNAME },
    })
    await transport.sendMail({ from: 'anna@example.org', to: 'bob@example.net', subject, text: 'Hello.' })
    transport.close()
  }
})

async function status(port: number, path: string): Promise<number> {
  return fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(2000) }).then(
    async (answer) => (await answer.arrayBuffer(), answer.status),
    () => 0,
  )
}

async function run({ command, args, environment }: Program, input = ''): Promise<{ code: number; output: string }> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], env: { ...environment } })
  child.stdin.end(input)
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit') as Promise<[number]>])
  return { code, output }
}
