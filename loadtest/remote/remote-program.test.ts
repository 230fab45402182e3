// The programs as a pod runs them: allowed to read files and to write none.

import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { test, type TestContext } from 'node:test'
import { tethered } from '@posthouse/testkit/child-process'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { TlsAuthority } from '@posthouse/testkit/tls-authority'
import { TestEdge, type Plan } from './test-edge.ts'

const LOADTEST = join(import.meta.dirname, '..')
const MAIN = join(LOADTEST, 'main.ts')
const READ_ONLY = ['--permission', '--allow-fs-read=*']
const DOMAINS = ['--from-domain', 'sender.example', '--to-domain', 'Sink.Example']

interface Ended {
  readonly status: number | null
  readonly out: string
  readonly err: string
}

function start(t: TestContext, args: readonly string[]): ChildProcess {
  const child = spawn(...tethered(process.execPath, [...READ_ONLY, MAIN, ...args], 'SIGKILL'), {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.after(() => child.kill('SIGKILL'))
  return child
}

async function run(t: TestContext, ...args: readonly string[]): Promise<Ended> {
  const child = start(t, args)
  const [out, err, [status]] = await Promise.all([
    child.stdout?.toArray(),
    child.stderr?.toArray(),
    once(child, 'exit') as Promise<[number | null]>,
  ])
  return {
    status,
    out: Buffer.concat((out ?? []) as Buffer[]).toString(),
    err: Buffer.concat((err ?? []) as Buffer[]).toString(),
  }
}

interface Line {
  readonly ready?: { readonly sinkPort: number; readonly controlPort: number }
  readonly phase?: { readonly name: string }
  readonly verdict?: { readonly judgement: string }
}

async function nextLine(lines: Interface): Promise<Line> {
  const [line] = (await once(lines, 'line')) as [string]
  return JSON.parse(line) as Line
}

interface Remote {
  readonly process: ChildProcess
  readonly lines: Interface
  control(...args: readonly string[]): Promise<Ended>
}

async function startRemote(t: TestContext, edge: TestEdge, args: readonly string[]): Promise<Remote> {
  const process = start(t, ['remote', ...DOMAINS, '--sink-port', '0', '--control-port', '0', ...args])
  process.stderr?.resume()
  assert.ok(process.stdout !== null)
  const lines = createInterface({ input: process.stdout })
  const { ready } = await nextLine(lines)
  assert.ok(ready !== undefined)
  edge.deliversTo(ready.sinkPort)
  const port = String(ready.controlPort)
  return { process, lines, control: (...given) => run(t, 'remote-control', '--port', port, ...given) }
}

async function edgeWith(t: TestContext, plan?: Plan): Promise<TestEdge> {
  const edge = await TestEdge.start({}, plan)
  t.after(() => edge[Symbol.asyncDispose]())
  return edge
}

test('a run steered by the command line ends sound, and SIGTERM ends the load in good order with its verdict', async (t) => {
  const edge = await edgeWith(t)
  const remote = await startRemote(t, edge, [
    '--edge',
    `localhost:${edge.mx.port}`,
    '--rate',
    '0',
    '--defer-every',
    '4',
  ])
  assert.equal((await remote.control('verdict')).status, 2)
  const rate = await remote.control('rate', '300')
  assert.deepEqual([rate.status, JSON.parse(rate.out)], [0, { messagesPerSecond: 300 }])
  await edge.mx.until(() => edge.brought >= 50)
  const told = nextLine(remote.lines)
  const phase = await remote.control('phase', 'upgrade')
  const summary = JSON.parse(phase.out) as { name: string; accepted: number; refused: number }
  assert.deepEqual([phase.status, summary.name, summary.refused], [0, 'start', 0])
  assert.deepEqual((await told).phase, summary)
  assert.equal((await remote.control('stop', '30')).status, 0)
  const drained = await remote.control('drain', '60')
  assert.equal((JSON.parse(drained.out) as { complete: boolean }).complete, true)
  const verdict = await remote.control('verdict')
  const { judgement, recipients } = JSON.parse(verdict.out) as {
    judgement: string
    recipients: { accepted: number; delivered: number }
  }
  assert.deepEqual([verdict.status, judgement, recipients.delivered], [0, 'sound', recipients.accepted])
  assert.ok(edge.mx.messages.every(({ rcpt }) => rcpt.every((path) => path.endsWith('@sink.example>'))))
  const last = nextLine(remote.lines)
  const exit = once(remote.process, 'exit') as Promise<[number | null, string | null]>
  remote.process.kill('SIGTERM')
  assert.equal((await last).verdict?.judgement, 'sound')
  assert.deepEqual(await exit, [130, null])
})

test('a loss makes the verdict end with 1, and what the queue is said to hold does not', async (t) => {
  const edge = await edgeWith(t, (mail, turn) => (turn === 3 ? [] : [mail]))
  const remote = await startRemote(t, edge, ['--edge', `127.0.0.1:${edge.mx.port}`, '--rate', '300'])
  await edge.mx.until(() => edge.brought >= 20)
  assert.equal((await remote.control('stop')).status, 0)
  await edge.mx.until(() => edge.brought === edge.mx.messages.length)
  await remote.control('drain', '0')
  const faulty = await remote.control('verdict')
  assert.equal(faulty.status, 1)
  const { lost } = JSON.parse(faulty.out) as { lost: number }
  assert.ok(lost > 0)
  assert.equal((await remote.control('verdict', '--queued', String(lost))).status, 0)
  const error = await remote.control('rate', '5')
  assert.deepEqual([error.status, error.out], [3, '{"error":"the load has been stopped: there is no more"}\n'])
})

test('with a user mail goes in after STARTTLS and a log-in, under a certificate that is trusted', async (t) => {
  await using folder = await temporaryFolder('remote')
  const authority = await TlsAuthority.create(folder.path)
  const password = join(folder.path, 'password')
  await writeFile(password, 'secret\n')
  const tls = await authority.issue(['edge.example'])
  const auth = Buffer.from('\0anna\0secret').toString('base64')
  await using edge = await TestEdge.start({
    tls,
    answer: ({ verb, line }) => (verb === 'AUTH' ? (line.endsWith(auth) ? '235 2.7.0 Ok' : '535 5.7.8 No') : undefined),
  })
  const secure = ['--user', 'anna', '--password-file', password, '--ca-file', authority.caFile]
  const place = ['--edge', `127.0.0.1:${edge.mx.port}`, '--server-name', 'edge.example']
  const remote = await startRemote(t, edge, [...place, ...secure, '--rate', '100', '--sessions', '3'])
  await edge.mx.until(({ messages }) => messages.length >= 5)
  assert.ok(edge.mx.messages.every((message) => message.tls && message.mail.includes('<anna@sender.example>')))
  const { phase } = JSON.parse((await remote.control('status')).out) as { phase: Record<string, unknown> }
  assert.deepEqual([phase['turnedAway'], phase['connectFailures']], [0, 0])
})

const WRONG: readonly [args: readonly string[], says: RegExp][] = [
  [['remote'], /--edge HOST:PORT is wanted/],
  [['remote', ...DOMAINS, '--edge', 'here'], /--edge here: HOST:PORT is wanted/],
  [['remote', ...DOMAINS, '--edge', 'here:70000'], /HOST:PORT is wanted/],
  [['remote', '--edge', 'here:25', '--to-domain', 'a.example'], /--from-domain.* a domain/],
  [['remote', ...DOMAINS, '--edge', 'here:25', '--user', 'anna'], /go together/],
  [['remote', ...DOMAINS, '--edge', 'here:25', '--submissions', 'here:465'], /--submissions needs --user/],
  [['remote', ...DOMAINS, '--edge', 'here:25', '--ca-file', '/nowhere/ca.pem'], /--ca-file: .*no such file/],
  [['remote', ...DOMAINS, '--edge', 'here:25', '--rate', 'fast'], /--rate fast/],
  [['remote-control'], /one of status, phase/],
  [['remote-control', 'phase'], /one name is wanted/],
  [['remote-control', 'phase', 'one', 'two'], /one name is wanted/],
  [['remote-control', 'rate', 'fast'], /a number of messages per second is wanted/],
  [['remote-control', 'status', 'now'], /takes nothing more/],
]

test('what is wrong with the arguments is said in a sentence, with status 64', async (t) => {
  for (const [args, says] of WRONG) {
    const { status, err } = await run(t, ...args)
    assert.match(err, says, args.join(' '))
    assert.equal(status, 64, args.join(' '))
  }
})

test('where no load runs the remote control ends with 3', async (t) => {
  const { status, err } = await run(t, 'remote-control', '--port', '1', 'status')
  assert.equal(status, 3)
  assert.match(err, /no answer/)
})

test('both programs need nothing but Node and files of the loadtest', async () => {
  const seen = new Set<string>()
  const outside: string[] = []
  const follow = async (file: string): Promise<void> => {
    if (seen.has(file)) return
    seen.add(file)
    for (const [, specifier = ''] of (await readFile(file, 'utf8')).matchAll(
      /^(?:import|\} from) [^;]*?'([^']+)'$/gm,
    )) {
      if (specifier.startsWith('.')) await follow(resolve(dirname(file), specifier))
      else if (!specifier.startsWith('node:')) outside.push(`${file}: ${specifier}`)
    }
  }
  for (const file of ['main.ts', 'commands/remote.ts', 'remote/remote-control.ts']) await follow(join(LOADTEST, file))
  assert.deepEqual(outside, [])
  assert.ok([...seen].every((file) => file.startsWith(LOADTEST)))
  assert.ok(seen.has(join(LOADTEST, 'smtp-client.ts')))
})
