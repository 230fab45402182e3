/**
 * Nothing that is secret, and nothing of what a message says, is in the log or in a span: planted secrets are looked for in
 * all that a whole run of an edge and a delivery node writes at its most talkative, and exports.
 */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { hashPassword } from '@posthouse/core/password'
import { formatUsers } from '@posthouse/core/users'
import { FakeMx } from '@posthouse/testkit/fake-mx'
import { FakeSocks } from '@posthouse/testkit/fake-socks'
import { OtlpReceiver } from '@posthouse/testkit/otlp-receiver'
import { TlsAuthority } from '@posthouse/testkit/tls-authority'
import { Client } from './test/client.ts'
import { wholeRelay } from './test/whole-relay.ts'

const planted = {
  'the password of a user': 'xyzzy-right-password-7391',
  'a wrong password': 'xyzzy-wrong-password-2846',
  'a password said before TLS': 'xyzzy-early-password-5127',
  'a password where no log-in is offered': 'xyzzy-relay-password-9034',
  'the password of the SOCKS proxy': 'xyzzy-socks-password-6610',
  'the text of a body': 'xyzzy-body-text-4458',
  'the text of a large body': 'xyzzy-large-text-8872',
  'a subject': 'xyzzy-subject-3309',
  'a header that looks like a credential': 'xyzzy-bearer-token-1205',
  'a body that a host refuses': 'xyzzy-refused-text-7746',
  'a body that the edge refuses': 'xyzzy-bare-newline-0917',
  'a body that was never finished': 'xyzzy-unfinished-5583',
} as const

test('planted secrets, bodies and headers are nowhere in the log at level trace, nor in a span', async () => {
  await using whole = await wholeRelay(1)
  await using collector = await OtlpReceiver.start()
  await using mx = await FakeMx.start({
    answer: ({ verb, line }) => (verb === 'RCPT' && line.includes('<no@') ? '550 5.1.1 no' : undefined),
  })
  const socksPassword = planted['the password of the SOCKS proxy']
  await using socks = await FakeSocks.start({ login: { user: 'relay', password: socksPassword } })
  const authority = await TlsAuthority.create(whole.folder)
  const { certFile, keyFile } = await authority.issue(['localhost'])
  const right = planted['the password of a user']
  const hash = await hashPassword(right)
  writeFileSync(
    join(whole.folder, 'users.yaml'),
    formatUsers([{ name: 'anna', hash, addresses: ['anna@home.example'] }]),
  )
  writeFileSync(join(whole.folder, 'socks-password'), socksPassword)

  const talkative = { log: { level: 'trace' }, tracing: { endpoint: collector.endpoint } }
  const [submission, submissions, relay] = whole.ports as [number, number, number, number]
  const listener = (role: string, port: number) => ({ role, host: '127.0.0.1', port })
  const edge = await whole.edge('edge-1', {
    ...talkative,
    listeners: [
      listener('submission', submission),
      listener('submissions', submissions),
      { ...listener('relay', relay), networks: ['127.0.0.0/8'] },
    ],
    tls: { certFile, keyFile },
    usersFile: 'users.yaml',
    failedLoginDelay: '0s',
  })
  const delivery = await whole.delivery('delivery-1', {
    ...talkative,
    route: { smarthosts: [`127.0.0.1:${mx.port}`] },
    egress: { socks: [`127.0.0.1:${socks.port}`], socksUser: 'relay', socksPasswordFile: 'socks-password' },
  })

  // Refused: before TLS, by a wrong password in both methods, where there is no log-in.
  const early = await Client.greeted(submission)
  assert.match(await early.login('anna', planted['a password said before TLS']), /^538 /)
  early.close()
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  const guess = planted['a wrong password']
  const wrong = await loggingIn(submissions)
  assert.match(await wrong.login('anna', guess), /^535 /)
  await wrong.command('AUTH LOGIN')
  await wrong.command(base64('anna'))
  assert.match(await wrong.command(base64(guess)), /^535 /)
  wrong.close()
  const open = await Client.greeted(relay)
  assert.match(await open.login('anna', planted['a password where no log-in is offered']), /^5/)

  // Accepted: by both methods, small and large, delivered and refused by the host.
  const login = await loggingIn(submissions)
  await login.command('AUTH LOGIN')
  await login.command(base64('anna'))
  assert.match(await login.command(base64(right)), /^235 /)
  const header = `Subject: ${planted['a subject']}\r\nAuthorization: Bearer ${planted['a header that looks like a credential']}\r\n\r\n`
  const mail = (body: string) => `${header}${body}\r\n.\r\n`
  const accept = async (to: string, body: string): Promise<void> =>
    assert.match(await login.mail('anna@home.example', to, mail(body)), /^250 /)
  await accept('bob@site.example', planted['the text of a body'])
  await accept('bob@site.example', `${planted['the text of a large body']}\r\n`.repeat(20_000))
  await accept('no@site.example', planted['a body that a host refuses'])
  login.close()
  const plain = await loggingIn(submissions)
  assert.match(await plain.login('anna', right), /^235 /)
  assert.match(await plain.mail('anna@home.example', 'bob@site.example', mail('second')), /^250 /)
  plain.close()

  // Refused and lost contents.
  assert.match(
    await open.mail('a@site.example', 'b@site.example', mail(`${planted['a body that the edge refuses']}\nbare`)),
    /^554 5\.6\.0 /,
  )
  for (const line of ['MAIL FROM:<a@site.example>', 'RCPT TO:<b@site.example>', 'DATA']) await open.command(line)
  open.write(planted['a body that was never finished'])
  open.socket.resetAndDestroy()

  // Three messages for bob, and the report to anna.
  await mx.until(() => mx.messages.length === 4)
  assert.ok(socks.requests.length > 0)
  for (const node of [edge, delivery]) assert.equal(await node.stop(), 0, node.lines.join('\n'))

  // The run was what it was meant to be.
  const lines = [...edge.lines, ...delivery.lines]
  assert.equal(edge.logged('accepted').length, 4)
  assert.equal(edge.logged('log-in refused').length, 2)
  assert.equal(delivery.logged('bounced').length, 1)
  assert.ok(collector.spans.length >= 12, String(collector.spans.length))
  const texts = new Map([
    ['log', lines.join('\n')],
    [
      'spans',
      JSON.stringify(collector.spans, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
    ],
  ])
  const secrets = [
    ...Object.entries(planted),
    ['the password of the NATS user', whole.nats.password],
    ['the hash of a password', hash],
    ['the salt and key of a hash', hash.split('$').at(-1) ?? ''],
    ['the key of the certificate', readFileSync(keyFile, 'utf8').split('\n')[1] ?? ''],
  ] as const
  for (const [what, secret] of secrets) {
    assert.ok(secret.length > 10, what)
    for (const form of formsOf(secret))
      for (const [where, text] of texts) assert.ok(!text.includes(form), `${what} is in the ${where}: ${form}`)
  }
  assert.ok(!(texts.get('spans') ?? '').includes('anna'), 'no span names the user')
})

async function loggingIn(port: number): Promise<Client> {
  const client = await Client.secure(port)
  await client.reply()
  await client.command('EHLO client.example')
  return client
}

/** As it is, and as it may be written without being hidden: the forms of AUTH, hexadecimal, a list of bytes. */
function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret)
  const inside = (offset: number) => {
    // Base64 of the secret wherever it begins in a longer text: the bits that depend on it alone.
    const whole = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64')
    return whole.slice(Math.ceil((offset * 4) / 3), Math.floor(((offset + bytes.length) * 4) / 3) - 1)
  }
  return [
    secret,
    encodeURIComponent(secret),
    bytes.toString('base64'),
    Buffer.from(`\0anna\0${secret}`).toString('base64'),
    ...[0, 1, 2].map(inside),
    bytes.toString('hex'),
    [...bytes].join(','),
  ]
}
