import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import type { TestContext } from 'node:test'

type Line = Readonly<Record<string, unknown>>

const GOOD = { POSTHOUSE_NAME: 'small-1', POSTHOUSE_HOSTNAME: 'small.example', POSTHOUSE_HTTP_PORT: '0' }

// Runs the small service in a process of its own.
function run(t: TestContext, environment: Record<string, string>, args: readonly string[] = []) {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'fixtures/small-service.ts'), ...args], {
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.after(() => child.kill('SIGKILL'))
  const errors: string[] = []
  const waiting: { message: string; resolve: (line: Line) => void }[] = []
  let output = ''
  child.stdout.on('data', (data: Buffer) => (output += data.toString()))
  createInterface(child.stderr).on('line', (text) => {
    errors.push(text)
    const line = parsed(text)
    for (const { message, resolve } of waiting) if (line['msg'] === message) resolve(line)
  })
  const closed = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>
  return {
    kill: (signal: NodeJS.Signals) => child.kill(signal),
    errors,
    lines: () => errors.map(parsed),
    output: () => output,
    /** A line with this message, come or still to come; fails when the process ends without it. */
    line: (message: string) => {
      const come = () => errors.map(parsed).find((line) => line['msg'] === message)
      const ended = () => come() ?? assert.fail(`ended without "${message}":\n${errors.join('\n')}`)
      const already = come()
      if (already !== undefined) return Promise.resolve(already)
      return Promise.race([new Promise<Line>((resolve) => waiting.push({ message, resolve })), closed.then(ended)])
    },
    ended: closed.then(([status]) => status),
  }
}

function parsed(text: string): Line {
  try {
    return JSON.parse(text) as Line
  } catch {
    return {}
  }
}

test('a service starts, is ready, answers, and stops in good order with status 0', async (t) => {
  const small = run(t, { ...GOOD, POSTHOUSE_NATS_PASSWORD: 'hunter2' })
  const starting = await small.line('starting')
  await small.line('ready')
  const http = String(starting['http'])
  const ready = await fetch(`${http}/readyz`)
  assert.deepEqual([ready.status, await ready.json()], [200, { ready: true, notReady: [] }])
  const metrics = await (await fetch(`${http}/metrics`)).text()
  assert.match(metrics, /^posthouse_small_started_total 1$/m)
  assert.match(metrics, /^posthouse_ready 1$/m)
  assert.match(metrics, /^posthouse_build_info\{service="small",version="\d+\.\d+\.\d+",node="v\d+/m)
  small.kill('SIGTERM')
  assert.equal(await small.ended, 0)
  assert.deepEqual(
    small.lines().map((line) => line['msg']),
    ['starting', 'part is up', 'ready', 'stopping', 'not ready', 'part is down', 'stopped'],
  )
  assert.ok(!small.errors.join('').includes('hunter2'))
})

test('a second signal ends it at once, and says what was under way', async (t) => {
  const small = run(t, { ...GOOD, POSTHOUSE_BEHAVIOUR: 'busy' })
  await small.line('ready')
  small.kill('SIGTERM')
  const waiting = await small.line('waiting for what is under way')
  assert.deepEqual(waiting['underWay'], { attempt: 1 })
  small.kill('SIGINT')
  assert.equal(await small.ended, 130)
  assert.partialDeepStrictEqual(small.lines().at(-1), {
    msg: 'second signal: leaving at once',
    underWay: { attempt: 1 },
  })
})

test('while it stops, readyz says so', async (t) => {
  const small = run(t, { ...GOOD, POSTHOUSE_BEHAVIOUR: 'busy' })
  const starting = await small.line('starting')
  await small.line('ready')
  small.kill('SIGTERM')
  await small.line('waiting for what is under way')
  const ready = await fetch(`${String(starting['http'])}/readyz`)
  assert.equal(ready.status, 503)
  assert.deepEqual(await ready.json(), {
    ready: false,
    notReady: [{ condition: 'small', reason: 'stopping: SIGTERM' }],
  })
  const open = { accept: 'application/openmetrics-text; version=1.0.0' }
  const metrics = await fetch(`${String(starting['http'])}/metrics`, { headers: open })
  assert.match(metrics.headers.get('content-type') ?? '', /^application\/openmetrics-text/)
  assert.match(await metrics.text(), /^posthouse_ready 0$/m)
})

test('the deadline bounds a stop', async (t) => {
  const small = run(t, { ...GOOD, POSTHOUSE_BEHAVIOUR: 'stuck', POSTHOUSE_STOP_DEADLINE: '1s' })
  await small.line('ready')
  small.kill('SIGTERM')
  assert.equal(await small.ended, 1)
  assert.partialDeepStrictEqual(small.lines().at(-1), { msg: 'stop cut off by stop.deadline', phase: 'taking down' })
})

test('a start that fails for an outside reason is one line that names the setting', async (t) => {
  const small = run(t, { ...GOOD, POSTHOUSE_BEHAVIOUR: 'absent' })
  assert.equal(await small.ended, 1)
  assert.deepEqual(
    small.lines().map(({ level, setting, msg }) => ({ level, setting, msg })),
    [
      { level: 'info', setting: undefined, msg: 'starting' },
      { level: 'fatal', setting: 'nats.servers', msg: 'nats.servers: no NATS server answers at 127.0.0.1:1' },
      { level: 'info', setting: undefined, msg: 'part is down' },
    ],
  )
})

test('a taken port is one line that names http.port', async (t) => {
  const other = createServer().listen(0, '127.0.0.1')
  t.after(() => other.close())
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo
  const small = run(t, { ...GOOD, POSTHOUSE_HTTP_PORT: String(port) })
  assert.equal(await small.ended, 1)
  assert.deepEqual(
    small.lines().map((line) => line['msg']),
    [`http.port: port ${port} on 127.0.0.1 is taken by another process`],
  )
})

test('a bug at start or later is status 70, with its stack', async (t) => {
  const early = run(t, { ...GOOD, POSTHOUSE_BEHAVIOUR: 'bug' })
  assert.equal(await early.ended, 70)
  assert.partialDeepStrictEqual(
    early.lines().find((line) => line['level'] === 'fatal'),
    { err: { type: 'TypeError', message: 'x is not a function' } },
  )
  const late = run(t, { ...GOOD, POSTHOUSE_BEHAVIOUR: 'late bug' })
  assert.equal(await late.ended, 70)
  assert.partialDeepStrictEqual(late.lines().at(-1), { level: 'fatal', err: { message: 'nobody caught it' } })
})

test('a lost necessity stops it in good order with status 1', async (t) => {
  const small = run(t, { ...GOOD, POSTHOUSE_BEHAVIOUR: 'lost' })
  assert.equal(await small.ended, 1)
  const messages = small.lines().map((line) => line['msg'])
  assert.ok(messages.includes('cannot go on') && messages.includes('part is down'))
})

test('a reader of the log that stalls does not keep a process from ending', async (t) => {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'fixtures/small-service.ts')], {
    env: { PATH: process.env['PATH'], ...GOOD, POSTHOUSE_BEHAVIOUR: 'talkative' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.after(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  child.kill('SIGTERM')
  const [status] = (await once(child, 'exit')) as [number | null]
  assert.equal(status, 0)
  child.stderr.destroy()
})

test('wrong settings are a line each and status 78', async (t) => {
  const small = run(t, { ...GOOD, POSTHOUSE_HTTP_PORT: '70000', POSTHOUSE_LOG_LEVEL: 'loud', POSTHOUSE_NAME: 'a b' })
  assert.equal(await small.ended, 78)
  assert.deepEqual(small.errors, [
    'name: must be a name of letters, digits, "-", "_" and ".", not "a b" (POSTHOUSE_NAME)',
    'http.port: must be an integer from 0 to 65535, not 70000 (POSTHOUSE_HTTP_PORT)',
    'log.level: must be one of trace, debug, info, warn, error, fatal, not "loud" (POSTHOUSE_LOG_LEVEL)',
  ])
  const ruled = run(t, { ...GOOD, POSTHOUSE_HOSTNAME: 'bad.example' })
  assert.equal(await ruled.ended, 78)
  assert.deepEqual(ruled.errors, ['hostname: must not be bad.example'])
})

test('a settings file that is not there is one line', async (t) => {
  const small = run(t, GOOD, ['--config', '/nowhere/small.yaml'])
  assert.equal(await small.ended, 78)
  assert.deepEqual(small.errors, [
    "--config: cannot read the settings file: ENOENT: no such file or directory, open '/nowhere/small.yaml'",
  ])
})

test('--print-settings, --help and a wrong option say what they should and end', async (t) => {
  const print = run(t, { ...GOOD, POSTHOUSE_NATS_PASSWORD: 'hunter2' }, ['--print-settings'])
  assert.equal(await print.ended, 0)
  assert.match(print.output(), /^name: small-1 # environment$/m)
  assert.ok(!print.output().includes('hunter2'))
  const help = run(t, {}, ['--help'])
  assert.equal(await help.ended, 0)
  assert.match(help.output(), /^ {2}stop\.deadline {2}\(duration, POSTHOUSE_STOP_DEADLINE\)$/m)
  const wrong = run(t, GOOD, ['--cofnig', 'x'])
  assert.equal(await wrong.ended, 64)
  assert.deepEqual(wrong.errors, ['posthouse small: --cofnig: no such option; --help tells them all'])
})
