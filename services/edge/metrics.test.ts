import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { makeCertificate } from './self-signed.ts'
import { Client } from './test/client.ts'
import { MountedFolder } from './test/mounted-folder.ts'
import { password, startTestEdge } from './test/test-edge.ts'
import type { TestEdge } from './test/test-edge.ts'

const good = 'Subject: x\r\n\r\nbody\r\n.\r\n'

/** Waits until the series has the value. */
async function until(edge: TestEdge, series: string, value: number): Promise<void> {
  for (;;) {
    const found = (await edge.metricsText()).split('\n').find((line) => line.startsWith(`${series} `))
    assert.ok(found !== undefined, series)
    if (Number(found.slice(series.length)) === value) return
    await new Promise(setImmediate)
  }
}

test('replies are counted by class, refusals also by reason', async () => {
  await using edge = await startTestEdge()
  const client = await Client.greeted(edge.ports.relay)
  assert.match(await client.mail('a@b.example', 'c@d.example', good), /^250 /)
  edge.queue.fate = { is: 'refused', why: 'full' }
  assert.match(await client.mail('a@b.example', 'c@d.example', good), /^452 /)
  assert.match(await client.command('WHAT'), /^500 /)
  assert.match(await client.command('QUIT'), /^221 /)
  // EHLO, twice MAIL and RCPT, the first message, QUIT.
  await until(edge, 'posthouse_edge_replies_total{class="2xx"}', 7)
  await until(edge, 'posthouse_edge_replies_total{class="3xx"}', 2)
  await until(edge, 'posthouse_edge_replies_total{class="4xx"}', 1)
  await until(edge, 'posthouse_edge_replies_total{class="5xx"}', 1)
  await until(edge, 'posthouse_edge_refused_total{reason="queueFull"}', 1)
  await until(edge, 'posthouse_edge_refused_total{reason="notRecognised"}', 1)
})

test('the replies of a log-in count too', async () => {
  await using edge = await startTestEdge()
  const client = await Client.secure(edge.ports.submissions)
  await client.reply()
  await client.command('EHLO x')
  assert.match(await client.login('anna', 'wrong'), /^535 /)
  assert.match(await client.login('anna', password), /^235 /)
  client.close()
  await until(edge, 'posthouse_edge_replies_total{class="2xx"}', 2)
  await until(edge, 'posthouse_edge_replies_total{class="5xx"}', 1)
  await until(edge, 'posthouse_edge_logins_total{result="wrong"}', 1)
  await until(edge, 'posthouse_edge_logins_total{result="ok"}', 1)
})

test('sessions open now are counted by role', async () => {
  await using edge = await startTestEdge()
  const relay = [await Client.greeted(edge.ports.relay), await Client.greeted(edge.ports.relay)]
  const submission = await Client.greeted(edge.ports.submission)
  await until(edge, 'posthouse_edge_listener_sessions{role="relay"}', 2)
  await until(edge, 'posthouse_edge_listener_sessions{role="submission"}', 1)
  await until(edge, 'posthouse_edge_listener_sessions{role="submissions"}', 0)
  await until(edge, 'posthouse_edge_sessions', 3)
  for (const client of [...relay, submission]) client.close()
  await until(edge, 'posthouse_edge_listener_sessions{role="relay"}', 0)
  await until(edge, 'posthouse_edge_listener_sessions{role="submission"}', 0)
})

test('encrypted sessions are counted by version, from their beginning and after STARTTLS', async () => {
  await using edge = await startTestEdge()
  const old = connectTls({ port: edge.ports.submissions, rejectUnauthorized: false, maxVersion: 'TLSv1.2' })
  await once(old, 'secureConnect')
  await until(edge, 'posthouse_edge_tls_sessions_total{version="TLSv1.2"}', 1)
  await until(edge, 'posthouse_edge_tls_sessions_total{version="TLSv1.3"}', 0)
  old.destroy()
  const client = await Client.greeted(edge.ports.submission)
  await client.startTls()
  assert.match(await client.command('EHLO x'), /^250/)
  client.close()
  await until(edge, 'posthouse_edge_tls_sessions_total{version="TLSv1.3"}', 1)
  await until(edge, 'posthouse_edge_tls_failed_total', 0)
})

test('a handshake that fails counts as one, both ways', async () => {
  await using edge = await startTestEdge()
  const direct = await Client.open(edge.ports.submissions)
  direct.write('EHLO this is no TLS\r\n')
  assert.equal(await direct.reply(), '')
  await until(edge, 'posthouse_edge_tls_failed_total', 1)
  const client = await Client.greeted(edge.ports.submission)
  assert.match(await client.command('STARTTLS'), /^220 /)
  client.write('EHLO this is no TLS either\r\n')
  assert.equal(await client.reply(), '')
  await until(edge, 'posthouse_edge_tls_failed_total', 2)
})

test('the certificate in use says when it expires, the next one as soon as it is used', async () => {
  await using folder = await temporaryFolder('edge')
  const day = 86_400_000
  const pair = (madeAt: number): { 'tls.crt': string; 'tls.key': string } => {
    const { cert, key } = makeCertificate('edge.example', madeAt)
    return { 'tls.crt': String(cert), 'tls.key': String(key) }
  }
  const expiry = (files: { 'tls.crt': string }): number =>
    Date.parse(new X509Certificate(files['tls.crt']).validTo) / 1000
  const [old, next] = [pair(Date.now() - 29 * day), pair(Date.now())]
  const mounted = new MountedFolder(join(folder.path, 'tls'), old)
  const tls = { certFile: mounted.file('tls.crt'), keyFile: mounted.file('tls.key') }
  await using edge = await startTestEdge({ settings: { tls, local: false } })
  const series = 'posthouse_edge_certificate_expiry_timestamp_seconds'
  await until(edge, series, expiry(old))
  mounted.update(next)
  await until(edge, series, expiry(next))
  assert.ok(expiry(next) - expiry(old) > 28 * 86_400)
})

test('a certificate made at the start says so, too, and none is 0', async () => {
  const relay = { role: 'relay', host: '127.0.0.1', port: 0, networks: ['127.0.0.0/8'] }
  await using bare = await startTestEdge({ settings: { local: false, listeners: [relay] } })
  await until(bare, 'posthouse_edge_certificate_expiry_timestamp_seconds', 0)
  await using edge = await startTestEdge()
  const found = /^posthouse_edge_certificate_expiry_timestamp_seconds (\d+)$/m.exec(await edge.metricsText())
  // A local node makes its own, for thirty days.
  const days = (Number(found?.[1]) - Date.now() / 1000) / 86_400
  assert.ok(days > 29 && days < 31, String(days))
})

test('the time to the 250 leads to the trace of a message that is traced', async () => {
  const traceId = '0af7651916cd43dd8448eb211c80319c'
  for (const [flags, isShown] of [
    ['01', true],
    ['00', false],
  ] as const) {
    const span = {
      traceparent: `00-${traceId}-b7ad6b7169203331-${flags}`,
      isRecording: true,
      set() {},
      fail() {},
      end() {},
    }
    const tracer = { isOn: true, start: () => span, close: () => Promise.resolve() }
    await using edge = await startTestEdge({ tracer })
    const client = await Client.greeted(edge.ports.relay)
    assert.match(await client.mail('a@b.example', 'c@d.example', good), /^250 /)
    client.close()
    const shown = /^posthouse_edge_accept_seconds_bucket\{le=".*"\} 1 # \{trace_id="(\w+)"\}/m.exec(
      await edge.openMetrics(),
    )
    assert.equal(shown?.[1], isShown ? traceId : undefined)
    await until(edge, 'posthouse_edge_accept_seconds_count', 1)
  }
})
