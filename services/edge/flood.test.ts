/** What strangers can cause is written so often and no more, and what concerns accepted mail always. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { Client } from './test/client.ts'
import { password, startTestEdge } from './test/test-edge.ts'
import type { TestEdge } from './test/test-edge.ts'

const content = 'Subject: hello\r\n\r\nbody\r\n.\r\n'

/** Says its lines at once and waits for the edge to hang up, or hangs up with a reset. */
async function attack(port: number, lines: string, isRude: boolean): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1' })
  socket.on('error', () => {})
  socket.resume()
  socket.write(lines)
  if (isRude) socket.once('data', () => socket.resetAndDestroy())
  await once(socket, 'close')
}

async function attackers(edge: TestEdge, number: number, lines: string, isRude = false): Promise<void> {
  for (let begun = 0; begun < number; begun += 100)
    await Promise.all(Array.from({ length: 100 }, () => attack(edge.ports.relay, lines, isRude)))
}

const limits = { connections: 10_000, connectionsPerClient: 10_000 }

test('thousands of refused sessions are a bounded number of lines, the rest is counted, and every accepted message has its line', async () => {
  const edge = await startTestEdge({ networks: ['192.0.2.0/24'], settings: { limits, greetingDelay: '0s' } })
  let flood: Promise<void> | undefined
  const client = await Client.secure(edge.ports.submissions)
  const started = performance.now()
  {
    await using _ = edge
    await client.reply()
    await client.command('EHLO x')
    await client.login('anna', password)
    flood = attackers(edge, 2000, 'EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nQUIT\r\n')
    for (let sent = 0; sent < 300; sent++)
      assert.match(await client.mail('anna@example.org', 'c@d.example', content), /^250 /)
    await flood
    await client.command('QUIT')
    assert.equal(await client.reply(), '')
  }
  const seconds = Math.ceil((performance.now() - started) / 1000)
  const lines = edge.lines()
  const count = (message: string) => lines.filter(({ msg }) => msg === message).length
  assert.equal(count('accepted'), 300)
  // Each attacker is told no twice.
  const leftOut = lines
    .filter(({ msg }) => msg === 'log lines left out')
    .reduce((sum, { lines }) => sum + ((lines as Record<string, number>)['refused'] ?? 0), 0)
  assert.equal(count('refused') + leftOut, 2 * 2000)
  assert.equal(edge.strangersLog.suppressed()['refused'], leftOut)
  assert.ok(count('refused') <= 200 + 50 * seconds, `${count('refused')} lines in ${seconds} s`)
  assert.ok(count('log lines left out') <= seconds + 1)
})

test('lost connections fill the log no more than refusals, and below its level nothing is counted', async () => {
  const silent = await startTestEdge({ settings: { limits, greetingDelay: '0s' } })
  {
    await using _ = silent
    await attackers(silent, 1000, 'EHLO x\r\n', true)
  }
  assert.deepEqual(silent.strangersLog.suppressed(), {})

  const edge = await startTestEdge({ settings: { limits, greetingDelay: '0s' }, level: 'debug' })
  const started = performance.now()
  {
    await using _ = edge
    await attackers(edge, 1000, 'EHLO x\r\n', true)
  }
  const seconds = Math.ceil((performance.now() - started) / 1000)
  const lost = edge.lines().filter(({ msg }) => msg === 'connection lost').length
  assert.ok(lost > 0 && lost <= 200 + 50 * seconds, `${lost} lines in ${seconds} s`)
  assert.ok((edge.strangersLog.suppressed()['connection lost'] ?? 0) > 0)
})
