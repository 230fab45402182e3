import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Client } from './test/client.ts'
import { password, startTestEdge } from './test/test-edge.ts'
import type { TestEdge } from './test/test-edge.ts'

let edge: TestEdge
before(async () => {
  edge = await startTestEdge({ settings: { limits: { messageSize: '64KiB', recipients: 100 } } })
})
after(() => edge[Symbol.asyncDispose]())

const good = 'Subject: x\r\n\r\nbody\r\n.\r\n'

async function loggedIn(): Promise<Client> {
  const client = await Client.secure(edge.ports.submissions)
  await client.reply()
  await client.command('EHLO client.example')
  await client.login('anna', password)
  return client
}

test('no encryption, no credentials, a wrong password', async () => {
  const plain = await Client.greeted(edge.ports.submission)
  assert.equal(await plain.command('MAIL FROM:<a@b.example>'), '530 5.7.0 Must issue a STARTTLS command first')
  assert.equal(await plain.login('anna', password), '538 5.7.11 Encryption required for authentication')
  assert.doesNotMatch(await plain.command('EHLO client.example'), /AUTH/)
  const client = await Client.secure(edge.ports.submissions)
  await client.reply()
  assert.equal(await client.command('AUTH PLAIN AAA='), '503 5.5.1 Send EHLO first')
  await client.command('EHLO client.example')
  assert.equal(await client.command('MAIL FROM:<anna@example.org>'), '530 5.7.0 Authentication required')
  assert.equal(await client.login('anna', 'wrong'), '535 5.7.8 Authentication credentials invalid')
  assert.match(await edge.metricsText(), /posthouse_edge_refused_total\{reason="authenticationInvalid"\} [1-9]/)
  assert.equal(await client.login('nobody', password), '535 5.7.8 Authentication credentials invalid')
  assert.equal(await client.login('anna', 'still wrong'), '421 4.7.0 Too many failed log-ins')
  assert.equal(await client.reply(), '')
})

test('AUTH LOGIN, its refusals, and no second log-in', async () => {
  const client = await Client.secure(edge.ports.submissions)
  await client.reply()
  await client.command('EHLO client.example')
  const base64 = (text: string): string => Buffer.from(text).toString('base64')
  assert.match(await client.command('AUTH CRAM-MD5'), /^504 5\.5\.4 /)
  assert.equal(await client.command('AUTH LOGIN'), '334 VXNlcm5hbWU6')
  assert.match(await client.command('*'), /^501 5\.5\.4 /)
  assert.equal(await client.command('AUTH LOGIN'), '334 VXNlcm5hbWU6')
  assert.equal(await client.command(base64('anna')), '334 UGFzc3dvcmQ6')
  assert.equal(await client.command(base64(password)), '235 2.7.0 Authentication successful')
  assert.match(await client.command('AUTH LOGIN'), /^503 5\.5\.1 /)
  client.close()
})

test('a sender the user does not own', async () => {
  const client = await loggedIn()
  assert.equal(
    await client.command('MAIL FROM:<boss@example.org>'),
    '553 5.7.1 Sender address not owned by the authenticated user',
  )
  assert.equal(await client.command('MAIL FROM:<Anna@EXAMPLE.org>'), '250 2.1.0 Ok')
  await client.command('RSET')
  assert.equal(await client.command('MAIL FROM:<anything@anna.example>'), '250 2.1.0 Ok')
  await client.command('RSET')
  assert.equal(await client.command('MAIL FROM:<>'), '250 2.1.0 Ok')
  client.close()
})

test('a client outside the listed networks', async () => {
  await using other = await startTestEdge({ networks: ['192.0.2.0/24', '2001:db8::/32'] })
  const client = await Client.greeted(other.ports.relay)
  assert.equal(
    await client.command('MAIL FROM:<a@b.example>'),
    '550 5.7.1 Relaying denied: the client is not in a listed network',
  )
  assert.equal(await client.command('RCPT TO:<c@d.example>'), '503 5.5.1 Need MAIL command')
  client.close()
})

const refused: readonly (readonly [what: string, commands: readonly string[], reply: string])[] = [
  ['MAIL before EHLO', ['MAIL FROM:<a@b.example>'], '503 5.5.1 Send EHLO first'],
  ['RCPT before MAIL', ['EHLO x', 'RCPT TO:<c@d.example>'], '503 5.5.1 Need MAIL command'],
  ['DATA before RCPT', ['EHLO x', 'MAIL FROM:<a@b.example>', 'DATA'], '503 5.5.1 Need RCPT command'],
  [
    'DATA after refused recipients',
    ['EHLO x', 'MAIL FROM:<a@b.example>', 'RCPT TO:<>', 'DATA'],
    '554 5.5.1 No valid recipients',
  ],
  ['a nested MAIL', ['EHLO x', 'MAIL FROM:<a@b.example>', 'MAIL FROM:<a@b.example>'], '503 5.5.1 Nested MAIL command'],
  [
    'a message announced too large',
    ['EHLO x', 'MAIL FROM:<a@b.example> SIZE=65537'],
    '552 5.3.4 Message size exceeds the limit',
  ],
  ['a size that is none', ['EHLO x', 'MAIL FROM:<a@b.example> SIZE=1k'], '501 5.5.4 Bad parameter value'],
  ['an unknown parameter', ['EHLO x', 'MAIL FROM:<a@b.example> REQUIRETLS'], '555 5.5.4 Parameter not recognised'],
  ['a parameter given twice', ['EHLO x', 'MAIL FROM:<a@b.example> RET=HDRS RET=FULL'], '501 5.5.4 Bad parameter value'],
  ['BINARYMIME', ['EHLO x', 'MAIL FROM:<a@b.example> BODY=BINARYMIME'], '501 5.5.4 Bad parameter value'],
  ['a sender without brackets', ['EHLO x', 'MAIL FROM:a@b.example'], '501 5.1.7 Bad sender address syntax'],
  ['a sender without a domain', ['EHLO x', 'MAIL FROM:<a>'], '501 5.1.7 Bad sender address syntax'],
  ['a UTF-8 sender without SMTPUTF8', ['EHLO x', 'MAIL FROM:<ä@b.example>'], '553 5.6.7 Address needs SMTPUTF8'],
  [
    'a UTF-8 recipient without SMTPUTF8',
    ['EHLO x', 'MAIL FROM:<a@b.example>', 'RCPT TO:<c@dä.example>'],
    '553 5.6.7 Address needs SMTPUTF8',
  ],
  [
    'a recipient with a control character',
    ['EHLO x', 'MAIL FROM:<a@b.example>', 'RCPT TO:<c\u0007@d.example>'],
    '501 5.1.3 Bad recipient address syntax',
  ],
  [
    'NOTIFY that contradicts itself',
    ['EHLO x', 'MAIL FROM:<>', 'RCPT TO:<c@d.example> NOTIFY=NEVER,DELAY'],
    '501 5.5.4 Bad parameter value',
  ],
  ['a HELO with a blank', ['HELO a b'], '501 5.5.4 Bad host name in HELO or EHLO'],
  ['AUTH where nobody logs in', ['EHLO x', 'AUTH PLAIN AAA='], '502 5.5.1 Command not implemented'],
  ['an unknown command', ['WIZ'], '500 5.5.2 Command not recognised'],
  ['a web browser', ['GET / HTTP/1.1'], '421 4.7.0 This is SMTP, not HTTP'],
]

for (const [what, commands, expected] of refused) {
  test(`refuses ${what}`, async () => {
    const client = await Client.open(edge.ports.relay)
    await client.reply()
    let last = ''
    for (const command of commands) last = await client.command(command)
    assert.equal(last, expected)
    client.close()
  })
}

test('too many recipients: the rest may follow in another message', async () => {
  const client = await Client.greeted(edge.ports.relay)
  await client.command('MAIL FROM:<a@b.example>')
  const replies = await client.commands(...Array.from({ length: 101 }, (_, i) => `RCPT TO:<c${i}@d.example>`))
  assert.equal(replies[99], '250 2.1.5 Ok')
  assert.equal(replies[100], '452 4.5.3 Too many recipients')
  await client.command('DATA')
  client.write(good)
  assert.match(await client.reply(), /^250 /)
  assert.equal(edge.queue.records.at(-1)?.envelope.recipients.length, 100)
  client.close()
})

test('a message over the limit is refused when it ends, and the next one is taken', async () => {
  const client = await Client.greeted(edge.ports.relay)
  const large = `Subject: x\r\n\r\n${'0123456789abcdef'.repeat(4100)}\r\n.\r\n`
  assert.equal(await client.mail('a@b.example', 'c@d.example', large), '552 5.3.4 Message size exceeds the limit')
  assert.match(await client.mail('a@b.example', 'c@d.example', good), /^250 /)
  client.close()
})

test('a message without end is cut when the reply cannot wait any longer', async () => {
  const client = await Client.greeted(edge.ports.relay)
  for (const line of ['MAIL FROM:<a@b.example>', 'RCPT TO:<c@d.example>', 'DATA']) await client.command(line)
  client.write('0123456789abcdef'.repeat(10_000))
  assert.equal(await client.reply(), '552 5.3.4 Message size exceeds the limit')
  assert.equal(await client.reply(), '')
})

test('bare newlines: in the body, and at the end of a command', async () => {
  const client = await Client.greeted(edge.ports.relay)
  for (const body of ['a\nb\r\n.\r\n', 'a\rb\r\n.\r\n', 'a\r\n.\n\r\n.\r\n', 'a\n.\nMAIL FROM:<x@y>\r\n.\r\n']) {
    assert.equal(
      await client.mail('a@b.example', 'c@d.example', `Subject: x\r\n\r\n${body}`),
      '554 5.6.0 Bare <CR> or <LF> in the message: lines end with <CR><LF>',
    )
  }
  client.write('NOOP\n')
  assert.equal(await client.reply(), '500 5.5.2 Bare <LF> received: a command ends with <CR><LF>')
  client.close()
})

test('bare newlines are made CRLF where the listener says so', async () => {
  await using lenient = await startTestEdge({ bareNewlines: 'normalise' })
  const client = await Client.greeted(lenient.ports.relay)
  client.write('NOOP\n')
  assert.equal(await client.reply(), '250 2.0.0 Ok')
  assert.match(await client.mail('a@b.example', 'c@d.example', 'Subject: x\n\na\rb\n.c\r\n.\r\n'), /^250 /)
  assert.ok(lenient.queue.content(0).toString().endsWith('\r\nSubject: x\r\n\r\na\r\nb\r\n.c\r\n'))
  assert.equal(lenient.queue.records[0]?.envelope.facts.dotLines, true)
  client.close()
})

test('a mail that has been through fifty hosts', async () => {
  const client = await Client.greeted(edge.ports.relay)
  const trace = (count: number): string => `${'Received: from x by y; now\r\n'.repeat(count)}\r\nx\r\n.\r\n`
  assert.equal(await client.mail('a@b.example', 'c@d.example', trace(51)), '554 5.4.6 Too many hops: mail loop')
  assert.match(await client.mail('a@b.example', 'c@d.example', trace(50)), /^250 /)
  client.close()
})

test('strangers wait for the greeting, and who talks before it is refused; after a log-in nobody waits', async () => {
  await using slow = await startTestEdge({ settings: { greetingDelay: '30s' } })
  const early = await Client.open(slow.ports.submission)
  early.write('EHLO x\r\n')
  assert.equal(await early.reply(), '421 4.7.0 You talk before the greeting')
  slow.known.add('127.0.0.1', Date.now())
  const client = await Client.open(slow.ports.submission)
  assert.match(await client.reply(), /^220 /)
  client.close()
})

test('who makes too many mistakes', async () => {
  const client = await Client.greeted(edge.ports.relay)
  for (let count = 0; count < 20; count += 1) assert.match(await client.command('NONSENSE'), /^500 /)
  assert.equal(await client.reply(), '421 4.7.0 Too many errors, closing connection')
  assert.equal(await client.reply(), '')
})

test('a command without end', async () => {
  const client = await Client.greeted(edge.ports.relay)
  client.write('NOOP '.repeat(3000))
  assert.equal(await client.reply(), '500 5.5.2 Line too long')
  assert.equal(await client.reply(), '')
})

test('every refusal is counted by its reason', async () => {
  assert.match(await edge.metricsText(), /posthouse_edge_refused_total\{reason="notOwner"\} [1-9]/)
})
