import assert from 'node:assert/strict'
import { readdirSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { test, type TestContext } from 'node:test'
import { createTransport } from 'nodemailer'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { decodeWords, summarise } from './header-summary.ts'
import { MessageStore } from './message-store.ts'
import { startSmtpSink } from './smtp-sink.ts'
import { startWeb } from './web.ts'

async function mailbox(t: TestContext, keep?: number) {
  const folder = await temporaryFolder('mailbox')
  const store = await MessageStore.open(folder.path, keep)
  const sink = await startSmtpSink(store, '127.0.0.1', 0)
  const web = await startWeb(store, '127.0.0.1', 0)
  t.after(async () => {
    await sink.close()
    await web.close()
    await folder.remove()
  })
  const sender = createTransport({ host: '127.0.0.1', port: sink.port, ignoreTLS: true })
  const send = (raw: string, from: string, ...to: string[]) => sender.sendMail({ envelope: { from, to }, raw })
  const get = (path: string) => fetch(`http://127.0.0.1:${web.port}${path}`)
  return { folder: folder.path, store, send, get, web }
}

interface Listed {
  id: number
  from: string
  to: string[]
  subject: string
  size: number
  queueId?: string
}

const list = async (get: (path: string) => Promise<Response>, path = '/api/messages') =>
  ((await (await get(path)).json()) as { messages: Listed[] }).messages

const MESSAGE =
  'Received: from client by edge-1.posthouse.example (Posthouse)\r\n\twith ESMTP id 4f5abc; Mon, 1 Jan 2026 00:00:00 +0000\r\n' +
  'From: alice@example.com\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= <b>\r\n\r\n.dot\r\n..two\r\n\u00e4 \r\n\r\n'

test('what arrives is listed with its envelope, subject, size and queue id, and given back byte for byte', async (t) => {
  const { send, get } = await mailbox(t)
  await send(MESSAGE, 'alice@example.com', 'bob@example.net', 'eve@example.org')
  const [message] = (await list(get)) as [Listed]
  const { from, to, subject, size, queueId } = message
  assert.deepEqual(
    { from, to, subject, size, queueId },
    {
      from: 'alice@example.com',
      to: ['bob@example.net', 'eve@example.org'],
      subject: 'Gr\u00fc\u00dfe <b>',
      size: Buffer.byteLength(MESSAGE),
      queueId: '4f5abc',
    },
  )
  assert.equal(await (await get(`/api/messages/${message.id}/raw`)).text(), MESSAGE)
})

test('one message is shown with its fields, its text and what is attached', async (t) => {
  const { send, get } = await mailbox(t)
  const boundary = '--b\r\n'
  const mixed =
    'Subject: two\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n' +
    `${boundary}Content-Type: text/html\r\n\r\n<p>Hello <b>Bob</b></p>\r\n` +
    `${boundary}Content-Disposition: attachment; filename=a.txt\r\nContent-Type: text/plain\r\n\r\nabc\r\n--b--\r\n`
  await send(mixed, 'a@example.com', 'b@example.net')
  const view = (await (await get('/api/messages/1')).json()) as Record<string, unknown>
  assert.equal(view['text'], 'Hello Bob')
  assert.deepEqual(view['attachments'], [{ name: 'a.txt', type: 'text/plain', size: 3 }])
  assert.deepEqual((view['headers'] as string[][])[0], ['Subject', 'two'])
})

test('the null reverse-path is an empty sender', async (t) => {
  const { send, get } = await mailbox(t)
  await send('Subject: bounce\r\n\r\n', '', 'a@example.com')
  assert.equal((await list(get))[0]?.from, '')
})

test('the latest messages are kept, newest first, and a program can ask for those after one it knows', async (t) => {
  const { store, get } = await mailbox(t, 3)
  const envelope = { from: '', to: [], time: '', client: '' }
  for (let i = 1; i <= 5; i++) await store.add(envelope, Readable.from([Buffer.from(`Subject: ${i}\r\n\r\n`)]))
  assert.deepEqual(
    (await list(get)).map(({ id }) => id),
    [5, 4, 3],
  )
  assert.deepEqual(
    (await list(get, '/api/messages?after=4')).map(({ id }) => id),
    [5],
  )
  assert.equal((await get('/api/messages/1')).status, 404)
})

test('it goes on with what it held, numbers on, and drops what was half written when it was killed', async (t) => {
  const { folder, send, store } = await mailbox(t)
  await send(MESSAGE, 'alice@example.com', 'bob@example.net')
  writeFileSync(join(folder, '000000002.mail.part'), '{"from"')
  const again = await MessageStore.open(folder)
  assert.deepEqual(again.list(), store.list())
  assert.deepEqual(readdirSync(folder), ['000000001.mail'])
  const added = await again.add({ from: '', to: [], time: '', client: '' }, Readable.from([Buffer.from('x')]))
  assert.equal(added.id, 2)
})

test('a message that breaks off is not kept', async (t) => {
  const { folder, store } = await mailbox(t)
  const broken = new Readable({ read() {} })
  broken.push('Subject: half')
  const added = store.add({ from: '', to: [], time: '', client: '' }, broken)
  broken.destroy(new Error('connection lost'))
  await assert.rejects(added, /connection lost/)
  assert.deepEqual(store.list(), [])
  assert.deepEqual(readdirSync(folder), [])
})

test('the page may run its own script only, and is shown under the names of this machine only', async (t) => {
  const { get, web } = await mailbox(t)
  for (const path of ['/', '/page.js', '/page.css', '/icon.svg']) {
    const answer = await get(path)
    assert.equal(answer.status, 200, path)
    assert.match(answer.headers.get('content-security-policy') ?? '', /default-src 'none'; script-src 'self';/)
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff')
  }
  const status = await new Promise((resolve) => {
    request({ host: '127.0.0.1', port: web.port, headers: { host: 'evil.example' } }, (answer) => {
      answer.resume()
      resolve(answer.statusCode)
    }).end()
  })
  assert.equal(status, 421)
})

test('emptying it removes the files', async (t) => {
  const { folder, send, get, web } = await mailbox(t)
  await send(MESSAGE, 'alice@example.com', 'bob@example.net')
  await fetch(`http://127.0.0.1:${web.port}/api/messages`, { method: 'DELETE' })
  assert.deepEqual(await list(get), [])
  assert.deepEqual(readdirSync(folder), [])
})

test('encoded words become text, unknown ones stay', () => {
  assert.equal(decodeWords('=?utf-8?B?w6Q=?= =?iso-8859-1?q?=F6_x?= y'), '\u00e4\u00f6 x y')
  assert.equal(decodeWords('=?no-such?q?a?='), '=?no-such?q?a?=')
})

test('a message without header fields has an empty summary', () => {
  assert.deepEqual(summarise(Buffer.from('\r\nhello')), { subject: '', queueId: undefined })
})
