// The first program of a container, and those beside it in PATH, run as a container runs them.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createServer as createSilentServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'

const file = (name: string): string => join(import.meta.dirname, name)

function run(...args: string[]) {
  return spawnSync(process.execPath, [file('entry.ts'), ...args], { encoding: 'utf8', env: {}, cwd: '/' })
}

test('a service gets the arguments behind its name, and its exit status is that of the container', () => {
  const help = run('delivery', '--help')
  assert.deepEqual([help.status, help.stderr], [0, ''])
  assert.match(help.stdout, /services\/delivery\/main\.ts --config FILE/)
  const wrong = run('edge', '--nonsense')
  assert.deepEqual(
    [wrong.status, wrong.stderr],
    [64, 'posthouse edge: --nonsense: no such option; --help tells them all\n'],
  )
  const unset = run('edge')
  assert.equal(unset.status, 78)
  assert.match(unset.stderr, /^listeners: is required/m)
})

test('the command line is there too', () => {
  const version = run('posthouse', '--version')
  assert.equal(version.status, 0)
  assert.match(version.stdout, /^\d+\.\d+\.\d+\n$/)
  assert.equal(run('posthouse', 'queue', 'nonsense').status, 64)
})

test('what names no service is told which there are, with status 64', () => {
  for (const [args, says] of [
    [[], /^which service\? usage: edge \| delivery \| admin \| posthouse, /],
    [['console'], /^console: no such service; usage: edge /],
    [['constructor'], /^constructor: no such service; /],
    [['--config', 'edge.yaml'], /^--config: no such service; /],
  ] as const) {
    const { status, stdout, stderr } = run(...args)
    assert.deepEqual([status, stdout], [64, ''], args.join(' '))
    assert.match(stderr, says)
    assert.equal(stderr.trimEnd().split('\n').length, 1)
  }
  assert.equal(run('--help').status, 0)
})

test('a link in PATH finds its programs, wherever one stands', async () => {
  await using folder = await temporaryFolder('path')
  const link = join(folder.path, 'posthouse')
  symlinkSync(file('../../services/cli/main.ts'), link)
  const PATH = `${join(process.execPath, '..')}:/usr/bin:/bin`
  const { status, stdout, stderr } = spawnSync(link, ['--version'], { encoding: 'utf8', cwd: '/', env: { PATH } })
  assert.equal(status, 0, stderr)
  assert.match(stdout, /^\d+\.\d+\.\d+\n$/)
})

test('SIGTERM ends what does not listen to it, as the kernel would not for process 1', async (t) => {
  // Whoever connects waits for a greeting that never comes.
  const silent = createSilentServer()
  silent.listen(0, '127.0.0.1')
  await once(silent, 'listening')
  t.after(() => silent.close())
  const env = { ...process.env, POSTHOUSE_NATS_SERVERS: `127.0.0.1:${(silent.address() as AddressInfo).port}` }
  const child = spawn(process.execPath, [file('entry.ts'), 'posthouse', 'queue', 'count'], { stdio: 'ignore', env })
  const exited = once(child, 'exit')
  const [socket] = (await once(silent, 'connection')) as [Socket]
  child.kill('SIGTERM')
  assert.deepEqual(await exited, [143, null])
  socket.destroy()
})

test('is-ready ends with 0 when the node is ready, else with 1 and what the node says', async (t) => {
  let ready = true
  const server = createServer((request, response) => {
    response.writeHead(ready && request.url === '/readyz' ? 200 : 503).end(`ready: ${ready}\n`)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/readyz`
  const ask = async (): Promise<[number, string]> => {
    const child = spawn(process.execPath, [file('is-ready.ts'), url], { stdio: ['ignore', 'pipe', 'inherit'] })
    let said = ''
    child.stdout.on('data', (data: Buffer) => (said += data.toString()))
    const [code] = (await once(child, 'close')) as [number]
    return [code, said]
  }
  assert.deepEqual(await ask(), [0, 'ready: true\n'])
  ready = false
  assert.deepEqual(await ask(), [1, 'ready: false\n'])
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
  const [code, said] = await ask()
  assert.equal(code, 1)
  assert.match(said, /ECONNREFUSED/)
})
