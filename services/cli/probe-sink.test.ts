import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { makeProbe } from './probe-message.ts'
import { ProbeSink } from './probe-sink.ts'
import { handOn, traced } from './test/small-relay.ts'

const FROM = 'anna@example.org'
const TO = 'probe@example.net'
const OURS = '0123456789abcdef0123456789abcdef'
const ANOTHER = 'fedcba9876543210fedcba9876543210'

const listen = { host: '127.0.0.1', port: 0 }
const message = makeProbe(FROM, TO, OURS, 0)
const content = traced(message.content)

async function sinkFor(t: { after(work: () => Promise<void>): void }, to = TO) {
  const notes: string[] = []
  const sink = await ProbeSink.open(listen, makeProbe(FROM, to, OURS, 0), (line) => notes.push(line))
  t.after(() => sink.close())
  return { sink, notes }
}

test('the message of the probe is taken, and said to be as it was sent', async (t) => {
  const { sink, notes } = await sinkFor(t)
  assert.match(await handOn({ from: FROM, to: TO, content }, sink.port), /^250 2\.0\.0 /)
  const { flaw, from, at } = await sink.arrival
  assert.deepEqual([flaw, from, at], [undefined, 'relay.example [127.0.0.1]', `127.0.0.1:${sink.port}`])
  assert.deepEqual([notes, sink.lastRefusal, sink.leftOvers], [[], undefined, 0])
})

test('a second copy is taken too: the relay may deliver twice, and shall not keep it', async (t) => {
  const { sink } = await sinkFor(t)
  for (let copy = 0; copy < 2; copy++) {
    assert.match(await handOn({ from: FROM, to: TO, content }, sink.port), /^250 /)
  }
})

test('a message that was altered, or has another sender, is taken and found out', async (t) => {
  const altered = { from: FROM, content: Buffer.concat([content, Buffer.from('more\r\n')]), flaw: /it is "more\\r\\n"/ }
  const other = {
    from: 'bob@example.org',
    content,
    flaw: /^its sender is <bob@example\.org> and was <anna@example\.org>$/,
  }
  const none = { from: '', content, flaw: /^its sender is <> and was / }
  for (const { flaw, ...sent } of [altered, other, none]) {
    const { sink } = await sinkFor(t)
    assert.match(await handOn({ to: TO, ...sent }, sink.port), /^250 /)
    assert.match((await sink.arrival).flaw ?? '', flaw)
  }
})

test('the left-over of an earlier probe is taken and dropped, so that it leaves the queue, and the wait goes on', async (t) => {
  const { sink, notes } = await sinkFor(t)
  const leftOver = traced(makeProbe('bob@example.org', TO, ANOTHER, 0).content)
  assert.match(await handOn({ from: 'bob@example.org', to: TO, content: leftOver }, sink.port), /^250 /)
  assert.equal(sink.leftOvers, 1)
  assert.match(notes.join('\n'), new RegExp(`^the message of an earlier probe came out too \\(token ${ANOTHER}\\)`))
  await handOn({ from: FROM, to: TO, content }, sink.port)
  assert.equal((await sink.arrival).flaw, undefined)
})

const report = Buffer.concat([Buffer.from('Subject: report\r\n\r\n'), content])
const refused: readonly [name: string, from: string, to: string, content: Buffer, reply: RegExp, refusal: RegExp][] = [
  [
    'other mail',
    FROM,
    TO,
    Buffer.from('Subject: x\r\n\r\nx\r\n'),
    /^550 5\.7\.1 /,
    /^other mail from <anna@example\.org>, /,
  ],
  ['a report that encloses the message', '', TO, report, /^550 5\.7\.1 /, /^other mail from <>, /],
  [
    'mail to another address',
    FROM,
    'x@example.net',
    content,
    /^550 5\.1\.1 /,
    /^mail to <x@example\.net>, brought by /,
  ],
  ['mail to another case of the local part', FROM, 'Probe@example.net', content, /^550 5\.1\.1 /, /^mail to <Probe@/],
]
for (const [name, from, to, bytes, reply, refusal] of refused) {
  test(`${name} is refused for good, and remembered`, async (t) => {
    const { sink } = await sinkFor(t)
    assert.match(await handOn({ from, to, content: bytes }, sink.port), reply)
    assert.match(sink.lastRefusal ?? '', refusal)
    assert.equal(sink.leftOvers, 0)
  })
}

test('of mail that is far too large nothing is kept, whatever its header says', async (t) => {
  const { sink } = await sinkFor(t)
  const large = Buffer.concat([content, Buffer.from('0123456789\r\n'.repeat(10_000))])
  assert.match(await handOn({ from: FROM, to: TO, content: large }, sink.port), /^552 5\.3\.4 /)
  assert.match(sink.lastRefusal ?? '', /^a large message from <anna@example\.org>, /)
})

const spellings: readonly [given: string, said: string][] = [
  ['probe@example.net', 'probe@EXAMPLE.net'],
  ['probe@xn--bcher-kva.example', 'probe@XN--BCHER-KVA.example'],
  ['probe@[192.0.2.7]', 'probe@[192.0.2.7]'],
  ['probe@[IPv6:2001:DB8:0:0::1]', 'probe@[IPv6:2001:db8::1]'],
]
for (const [given, said] of spellings) {
  test(`<${given}> is also <${said}>`, async (t) => {
    const { sink } = await sinkFor(t, given)
    const sent = traced(makeProbe(FROM, given, OURS, 0).content)
    assert.match(await handOn({ from: FROM, to: said, content: sent }, sink.port), /^250 /)
    assert.equal((await sink.arrival).flaw, undefined)
  })
}

test('a client that breaks off in the middle has brought nothing', async (t) => {
  const { sink } = await sinkFor(t)
  const socket = connect(sink.port, '127.0.0.1')
  for (const line of ['EHLO relay.example', `MAIL FROM:<${FROM}>`, `RCPT TO:<${TO}>`, 'DATA']) {
    await once(socket, 'data')
    socket.write(`${line}\r\n`)
  }
  await once(socket, 'data')
  socket.write(content.subarray(0, 300))
  socket.resetAndDestroy()
  assert.match(await handOn({ from: FROM, to: TO, content }, sink.port), /^250 /)
  assert.equal((await sink.arrival).flaw, undefined)
})

test('a port that is taken is an error; one that was closed is free again, and idle clients are told to go', async () => {
  const first = await ProbeSink.open(listen, message, () => {})
  const { port } = first
  await assert.rejects(
    ProbeSink.open({ ...listen, port }, message, () => {}),
    { code: 'EADDRINUSE' },
  )
  const idle = connect(port, '127.0.0.1')
  await once(idle, 'data')
  await first.close()
  assert.match(String((await once(idle, 'data'))[0]), /^421 /)
  idle.destroy()
  await (await ProbeSink.open({ ...listen, port }, message, () => {})).close()
})
