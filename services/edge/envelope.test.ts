import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Client } from './test/client.ts'
import { startTestEdge } from './test/test-edge.ts'
import type { TestEdge } from './test/test-edge.ts'

let edge: TestEdge
let client: Client
before(async () => {
  edge = await startTestEdge()
  client = await Client.greeted(edge.ports.relay)
})
after(async () => {
  client.close()
  await edge[Symbol.asyncDispose]()
})

/** The envelope that these commands make. */
async function envelope(...commands: string[]) {
  for (const reply of await client.commands(...commands)) assert.match(reply, /^250 /)
  assert.match(await client.command('DATA'), /^354 /)
  client.write('Subject: x\r\n\r\nbody\r\n.\r\n')
  assert.match(await client.reply(), /^250 /)
  const record = edge.queue.records.at(-1)
  assert.ok(record)
  return record.envelope
}

test('delivery status parameters are carried as they were given', async () => {
  const made = await envelope(
    'MAIL FROM:<a@b.example> RET=hdrs ENVID=QQ+2B314 SIZE=30 BODY=8BITMIME AUTH=<>',
    'RCPT TO:<c@d.example> NOTIFY=success,FAILURE ORCPT=rfc822;C+2Bx@d.example',
    'RCPT TO:<e@f.example> NOTIFY=NEVER',
  )
  assert.equal(made.ret, 'HDRS')
  assert.equal(made.envid, 'QQ+2B314')
  assert.equal(made.body8bit, true)
  assert.deepEqual(made.recipients, [
    { address: 'c@d.example', index: 0, notify: ['SUCCESS', 'FAILURE'], orcpt: 'rfc822;C+2Bx@d.example' },
    { address: 'e@f.example', index: 1, notify: ['NEVER'] },
  ])
})

test('nothing of a refused MAIL reaches the next one', async () => {
  assert.match(await client.command('MAIL FROM:<a> SMTPUTF8 BODY=8BITMIME RET=FULL ENVID=1'), /^501 /)
  assert.match(await client.command('MAIL FROM:<a@b.example> SMTPUTF8 BODY=8BITMIME RET=FULL WHAT=1'), /^555 /)
  const made = await envelope('MAIL FROM:<a@b.example>', 'RCPT TO:<c@d.example>')
  assert.deepEqual([made.smtputf8, made.body8bit, made.ret, made.envid], [undefined, undefined, undefined, undefined])
})

test('recipients that differ by the case of their local part are two; the same one twice is one', async () => {
  const made = await envelope(
    'MAIL FROM:<>',
    'RCPT TO:<Joe@d.example>',
    'RCPT TO:<joe@d.example>',
    'RCPT TO:<joe@D.EXAMPLE>',
    'RCPT TO:<Joe@d.example>',
  )
  assert.equal(made.from, '')
  assert.deepEqual(
    made.recipients.map((recipient) => recipient.address),
    ['Joe@d.example', 'joe@d.example'],
  )
})

test('domains stay as they were written, xn-- and U-labels alike', async () => {
  const made = await envelope('MAIL FROM:<a@xn--bcher-kva.example> SMTPUTF8', 'RCPT TO:<ü@Bücher.example>')
  assert.equal(made.from, 'a@xn--bcher-kva.example')
  assert.equal(made.recipients[0]?.address, 'ü@Bücher.example')
  assert.equal(made.smtputf8, true)
  assert.match(edge.queue.content(edge.queue.records.length - 1).toString(), /with UTF8SMTP id .*\r\n\tfor <ü@B/)
})

test('postmaster without a domain is ours, quoted local parts and source routes are understood', async () => {
  const made = await envelope(
    'MAIL FROM: <"a b"@c.example>',
    'rcpt to:<Postmaster>',
    'RCPT TO:<@relay.example:c@d.example>',
    'RCPT TO:<"x>y"@[192.0.2.1]>',
  )
  assert.equal(made.from, '"a b"@c.example')
  assert.deepEqual(
    made.recipients.map((recipient) => recipient.address),
    ['Postmaster@edge.example', 'c@d.example', '"x>y"@[192.0.2.1]'],
  )
})

test('several recipients are not told of each other', async () => {
  await envelope('MAIL FROM:<a@b.example>', 'RCPT TO:<c@d.example>', 'RCPT TO:<e@f.example>')
  assert.doesNotMatch(edge.queue.content(edge.queue.records.length - 1).toString(), /for </)
})

test('eight-bit content is marked though the client did not say so', async () => {
  await client.mail('a@b.example', 'c@d.example', 'Subject: x\r\n\r\nä\r\n.\r\n')
  assert.equal(edge.queue.records.at(-1)?.envelope.body8bit, true)
})

test('a whole session in one write is answered in order', async () => {
  const eager = await Client.open(edge.ports.relay)
  await eager.reply()
  eager.write(
    'EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n.\r\nMAIL FROM:<a@b.example>\r\nRSET\r\nVRFY x\r\nQUIT\r\n',
  )
  const replies: string[] = []
  for (let reply = await eager.reply(); reply !== ''; reply = await eager.reply()) replies.push(reply.slice(0, 3))
  assert.deepEqual(replies, ['250', '250', '250', '354', '250', '250', '250', '252', '221'])
  const empty = edge.queue.records.at(-1)
  assert.match(Buffer.from(empty?.content ?? []).toString(), /^Received: [^]*\r\n$/)
})

test('what was pipelined behind STARTTLS is not heard', async () => {
  const injector = await Client.greeted(edge.ports.submission)
  injector.write('STARTTLS\r\nEHLO injected.example\r\nMAIL FROM:<x@y.example>\r\n')
  assert.equal(await injector.reply(), '220 2.0.0 Ready to start TLS')
  injector.close()
  const client2 = await Client.greeted(edge.ports.submission)
  await client2.startTls()
  assert.equal(await client2.command('MAIL FROM:<x@y.example>'), '503 5.5.1 Send EHLO first')
  assert.doesNotMatch(await client2.command('EHLO x'), /STARTTLS/)
  client2.close()
})
