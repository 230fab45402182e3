import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Client } from './test/client.ts'
import { password, startTestEdge } from './test/test-edge.ts'

const content = 'Subject: hello\r\nDate: now\r\nMessage-ID: <1@x>\r\n\r\nbody\r\n'

test('a listed network relays without a log-in, and the record says all about it', async () => {
  await using edge = await startTestEdge()
  const client = await Client.open(edge.ports.relay)
  assert.equal(await client.reply(), '220 edge.example ESMTP Posthouse')
  assert.equal(
    await client.command('EHLO client.example'),
    [
      '250-edge.example',
      '250-PIPELINING',
      '250-SIZE 67108864',
      '250-STARTTLS',
      '250-ENHANCEDSTATUSCODES',
      '250-8BITMIME',
      '250-SMTPUTF8',
      '250 DSN',
    ].join('\r\n'),
  )
  assert.match(await client.mail('a@b.example', 'c@d.example', `${content}.\r\n`), /^250 2\.0\.0 Ok: queued as \w{13}$/)
  assert.equal(await client.command('QUIT'), '221 2.0.0 Bye')
  assert.equal(await client.reply(), '')
  const [record] = edge.queue.records
  assert.ok(record)
  const { envelope } = record
  assert.equal(envelope.from, 'a@b.example')
  assert.deepEqual(envelope.recipients, [{ address: 'c@d.example', index: 0 }])
  assert.deepEqual(envelope.accepted, { node: 'edge-test', client: '127.0.0.1', role: 'relay', messageId: '<1@x>' })
  assert.equal(envelope.helo, 'client.example')
  const text = edge.queue.content(0).toString()
  assert.match(
    text,
    /^Received: from client\.example \(\[127\.0\.0\.1\]\)\r\n\tby edge\.example with ESMTP id \w{13}\r\n\tfor <c@d\.example>;\r\n\t.* \+0000\r\nSubject/,
  )
  assert.ok(text.endsWith(content))
  assert.equal(envelope.facts.size, text.length)
})

test('a user logs in over STARTTLS and over implicit TLS, and what lacks is added', async () => {
  await using edge = await startTestEdge()
  for (const port of [edge.ports.submission, edge.ports.submissions]) {
    const client = port === edge.ports.submission ? await Client.greeted(port) : await Client.secure(port)
    if (port === edge.ports.submission) await client.startTls()
    else await client.reply()
    assert.match(await client.command('EHLO client.example'), /AUTH PLAIN LOGIN/)
    assert.equal(await client.login('anna', password), '235 2.7.0 Authentication successful')
    assert.match(await client.mail('anna@example.org', 'c@d.example', 'Subject: x\r\n\r\nb\r\n.\r\n'), /^250 2\.0\.0/)
    client.close()
  }
  const text = edge.queue.content(0).toString()
  assert.match(text, /^Received: .*\r\n\t\(using TLSv1\.3 with cipher .*\)\r\n\tby edge\.example with ESMTPSA id /s)
  assert.match(text, /\r\nDate: .*\r\nMessage-ID: <.*@edge\.example>\r\nSubject: x\r\n\r\nb\r\n$/)
  assert.equal(edge.queue.records[0]?.envelope.accepted?.user, 'anna')
})

test('one line tells of an accepted message, and none has a password or a body', async () => {
  await using edge = await startTestEdge()
  const client = await Client.secure(edge.ports.submissions)
  await client.reply()
  await client.command('EHLO x')
  await client.login('anna', password)
  await client.mail('anna@example.org', 'c@d.example', `${content}.\r\n`)
  client.close()
  const lines = edge.lines()
  const accepted = lines.filter((line) => line['id'] !== undefined)
  assert.equal(accepted.length, 1)
  const { from, to, user, size, messageId } = accepted[0] ?? {}
  assert.deepEqual([from, to, user, messageId], ['anna@example.org', 'c@d.example', 'anna', '<1@x>'])
  assert.equal(size, edge.queue.content(0).length)
  const all = JSON.stringify(lines)
  for (const secret of [password, Buffer.from(`\0anna\0${password}`).toString('base64'), 'body']) {
    assert.ok(!all.includes(secret), secret)
  }
})
