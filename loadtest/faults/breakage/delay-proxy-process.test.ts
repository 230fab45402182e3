import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { canEnclose, enclosed, isEnclosed } from '../enclosure.ts'
import { startDelayProxy } from './delay-proxy.ts'

const [HERE, THERE] = ['192.0.2.1', '192.0.2.2']

if (isEnclosed()) declareTests()
else if (canEnclose()) process.exitCode = await enclosed(import.meta.filename, [])
else test('a proxy in a network namespace', { skip: 'needs root' }, () => {})

function declareTests() {
  test('a proxy in a network namespace delays, and is gone with its port when it is closed', async (t) => {
    ip('netns add there')
    ip('link add here type veth peer name there netns there')
    ip(`address add ${HERE}/24 dev here`)
    ip('link set here up')
    ip(`-n there address add ${THERE}/24 dev there`)
    ip('-n there link set there up')
    const server = createServer((socket) => socket.pipe(socket)).listen(0, HERE)
    await once(server, 'listening')
    t.after(() => server.close())

    const to = { host: HERE, port: (server.address() as AddressInfo).port }
    const proxy = await startDelayProxy({ host: THERE, port: 0, to, namespace: 'there' })
    const echo = async () => {
      const client = connect(proxy.port, THERE)
      client.end('hello')
      return text(client)
    }
    assert.equal(await echo(), 'hello')
    proxy.delay(100, 50)
    const before = performance.now()
    assert.equal(await echo(), 'hello')
    assert.ok(performance.now() - before >= 149)
    await proxy.close()
    await assert.rejects(echo(), { code: 'ECONNREFUSED' })
  })

  test('a proxy that cannot listen where it is told to says so', async () => {
    const to = { host: HERE, port: 1 }
    await assert.rejects(startDelayProxy({ host: THERE, port: 0, to, namespace: 'nowhere' }), /nowhere/)
  })
}

function ip(args: string) {
  execFileSync('ip', args.split(' '))
}
