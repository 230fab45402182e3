// The whole of `npm start`, with the real services.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createTransport } from 'nodemailer'
import { freeStretch } from '@posthouse/testkit/free-port'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import type { ClusterFacts } from './cluster-file.ts'
import { PORTS_USED } from './ports.ts'
import { startOf } from './process-table.ts'

interface Started {
  readonly facts: ClusterFacts
  readonly pid: number
  /** Standard error so far. */
  readonly log: () => string
  readonly end: (signal: NodeJS.Signals) => Promise<number | null>
}

function launch(t: TestContext, args: readonly string[]) {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'start.ts'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exited = once(child, 'close') as Promise<[number | null]>
  let log = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text))
  const lines: string[] = []
  const firstLine = new Promise<string>((resolve) =>
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line)
      resolve(line)
    }),
  )
  t.after(async () => {
    child.kill('SIGTERM')
    await exited
  })
  return { child, exited, lines, firstLine, log: () => log }
}

async function start(t: TestContext, args: readonly string[]): Promise<Started> {
  const { child, exited, firstLine, log, lines } = launch(t, ['--json', ...args])
  const line = await Promise.race([firstLine, exited.then(() => undefined)])
  if (line === undefined) throw new Error(`npm start ended:\n${log()}`)
  return {
    facts: JSON.parse(line) as ClusterFacts,
    pid: child.pid as number,
    log,
    end: async (signal) => {
      child.kill(signal)
      const [status] = await exited
      assert.equal(lines.length, 1, 'one line on standard output')
      return status
    },
  }
}

async function until<T>(find: () => T | undefined | Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await find()
    if (found !== undefined) return found
    await sleep(50)
  }
}

async function send({ facts }: Started, role: 'relay' | 'submission' | 'submissions', raw: string): Promise<void> {
  const listener = facts.smtp.find((one) => one.role === role)
  assert.ok(listener)
  const { host, port, tls } = listener
  const login = tls === false ? { ignoreTLS: true } : { auth: { user: facts.user, pass: facts.password } }
  const sender = createTransport({
    host,
    port,
    secure: tls === 'implicit',
    tls: { rejectUnauthorized: false },
    ...login,
  })
  await sender.sendMail({ envelope: { from: 'alice@example.com', to: 'bob@example.net' }, raw })
  sender.close()
}

const arrived = (facts: ClusterFacts, subject: string) =>
  until(async () => {
    const answer = await fetch(`${facts.mailbox}/api/messages`)
    const { messages } = (await answer.json()) as { messages: { id: number; subject: string; queueId?: string }[] }
    return messages.find((message) => message.subject === subject)
  })

async function baseArgs(folder: string): Promise<string[]> {
  return ['--nodes', '1', '--data', folder, '--base-port', String(await freeStretch(PORTS_USED))]
}

test('one command takes mail by every listener, delivers it, restarts what is killed, and goes on after a stop', async (t) => {
  await using folder = await temporaryFolder('start')
  const args = await baseArgs(folder.path)
  const first = await start(t, args)
  const { facts } = first
  assert.deepEqual(Object.keys(facts), ['smtp', 'user', 'password', 'mailbox', 'metrics', 'pids'])
  assert.deepEqual(Object.keys(facts.pids).toSorted(), ['admin-1', 'delivery-1', 'edge-1', 'mailbox', 'nats-1'])
  assert.deepEqual(Object.keys(facts.metrics), ['edge-1', 'delivery-1', 'admin-1'])
  for (const url of Object.values(facts.metrics)) assert.equal((await fetch(url)).status, 200)
  const clusterFile = join(folder.path, 'cluster.json')
  assert.deepEqual(JSON.parse(readFileSync(clusterFile, 'utf8')), facts)

  const body = 'Message-ID: <one@example.com>\r\nDate: Mon, 1 Jan 2026 00:00:00 +0000\r\n\r\n.dot\r\n..two\r\n\r\n'
  for (const role of ['relay', 'submission', 'submissions'] as const) {
    const raw = `From: alice@example.com\r\nSubject: by ${role}\r\n${body}`
    await send(first, role, raw)
    const { id, queueId } = await arrived(facts, `by ${role}`)
    assert.ok(queueId)
    const text = await (await fetch(`${facts.mailbox}/api/messages/${id}/raw`)).text()
    assert.ok(text.startsWith('Received: '))
    assert.ok(text.endsWith(`\r\n${raw}`), text)
  }

  const edge = facts.pids['edge-1'] as number
  process.kill(edge, 'SIGKILL')
  const again = await until(() => {
    const pid = (JSON.parse(readFileSync(clusterFile, 'utf8')) as ClusterFacts).pids['edge-1']
    return pid === edge ? undefined : pid
  })
  assert.match(first.log(), new RegExp(`edge-1 \\(pid ${edge}\\) was killed by SIGKILL; it starts again in 2 s`))
  await until(() => (first.log().includes(`edge-1 runs again (pid ${again})`) ? true : undefined))

  assert.equal(await first.end('SIGINT'), 0)
  assert.equal(existsSync(clusterFile), false)
  const second = await start(t, args)
  assert.equal(second.facts.password, facts.password)
  assert.ok(await arrived(second.facts, 'by relay'))

  // Killed itself, it takes its programs with it.
  await second.end('SIGKILL')
  for (const pid of Object.values(second.facts.pids)) await until(() => (startOf(pid) === undefined ? true : undefined))
})

test('a port that is taken is named, with its purpose and the option', async (t) => {
  await using folder = await temporaryFolder('start')
  const args = await baseArgs(folder.path)
  const port = Number(args.at(-1)) + 87
  const server = createServer().listen(port, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { exited, log } = launch(t, args)
  assert.deepEqual((await exited)[0], 1)
  const base = args.at(-1) as string
  assert.equal(
    log(),
    `posthouse: port ${port} (submission listener) is in use: choose other ports with --base-port (now ${base})\n`,
  )
})

test('a wrong command line is answered with every mistake', async (t) => {
  const { exited, log } = launch(t, ['--nodes', '2', '--base-port', 'x'])
  assert.deepEqual((await exited)[0], 64)
  assert.match(log(), /--nodes: must be 3 or 1[^]*--base-port: must be a number[^]*--help/)
})
