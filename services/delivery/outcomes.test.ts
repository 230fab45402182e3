import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeMx } from '@posthouse/testkit/fake-mx'
import type { FakeCommand, FakeMxOptions } from '@posthouse/testkit/fake-mx'
import { FakeDelivery, testNode } from './test/fake-delivery.ts'
import type { FakeOptions, TestNode } from './test/fake-delivery.ts'

async function attempt(
  options: FakeMxOptions,
  delivery: FakeOptions,
  settings: Readonly<Record<string, unknown>> = {},
): Promise<{ mx: FakeMx; delivery: FakeDelivery; node: TestNode }> {
  await using mx = await FakeMx.start(options)
  await using node = await testNode({ 'route.smarthosts': [`127.0.0.1:${mx.port}`], ...settings })
  return { mx, node, delivery: await node.deliver(new FakeDelivery(delivery)) }
}

const noPipelining = ['8BITMIME', 'SIZE 104857600', 'DSN', 'SMTPUTF8']
const three = ['a@example.com', 'b@example.com', 'c@example.com']

function says(verb: string, reply: string, which = /./): FakeMxOptions['answer'] {
  return (command) => (command.verb === verb && (command.line === '' || which.test(command.line)) ? reply : undefined)
}

for (const extensions of [undefined, noPipelining]) {
  const way = extensions === undefined ? 'with PIPELINING' : 'command by command'
  const base: FakeMxOptions = extensions === undefined ? {} : { extensions }

  test(`each recipient gets the fate its reply says, ${way}`, async () => {
    const { mx, delivery } = await attempt(
      {
        ...base,
        answer: ({ verb, line }) =>
          verb !== 'RCPT'
            ? undefined
            : line.includes('<a@')
              ? '450 4.2.0 later'
              : line.includes('<b@')
                ? '550 5.1.1 no'
                : undefined,
      },
      { to: three },
    )
    assert.deepEqual(
      [0, 1, 2].map((position) => delivery.how(position)),
      ['deferred', 'bounced', 'delivered'],
    )
    assert.equal(delivery.reply(0), '450 4.2.0 later')
    assert.equal(delivery.reply(1), '550 5.1.1 no')
    assert.deepEqual(mx.messages[0]?.rcpt, ['<c@example.com>'])
  })

  test(`a refused sender decides for all recipients, ${way}`, async () => {
    const { mx, delivery } = await attempt({ ...base, answer: says('MAIL', '550 5.7.1 go away') }, { to: three })
    assert.deepEqual(
      [0, 1, 2].map((position) => delivery.how(position)),
      ['bounced', 'bounced', 'bounced'],
    )
    assert.equal(delivery.reply(2), '550 5.7.1 go away')
    assert.equal(delivery.closes.length, 1)
    assert.equal(mx.messages.length, 0)
  })

  test(`when nobody is taken the connection goes on with the next message, ${way}`, async () => {
    await using mx = await FakeMx.start({ ...base, answer: says('RCPT', '550 5.1.1 no', /<a@/) })
    await using node = await testNode({
      'route.smarthosts': [`127.0.0.1:${mx.port}`],
      'limits.connectionsPerDestination': 1,
    })
    const first = new FakeDelivery({ to: ['a@example.com'] })
    const second = new FakeDelivery({ to: ['b@example.com'] })
    node.engine.give(first)
    await node.deliver(second)
    assert.deepEqual([first.how(), second.how()], ['bounced', 'delivered'])
    assert.equal(mx.sessions.length, 1)
    assert.ok(mx.commands.includes('RSET'))
  })

  test(`the reply to the content decides for those who were taken, ${way}`, async () => {
    const { delivery } = await attempt(
      {
        ...base,
        answer: ({ verb, line }) =>
          verb === 'DOT' ? '554 5.7.1 spam' : verb === 'RCPT' && line.includes('<a@') ? '450 4.2.0 later' : undefined,
      },
      { to: three },
    )
    assert.deepEqual(
      [0, 1, 2].map((position) => delivery.how(position)),
      ['deferred', 'bounced', 'bounced'],
    )
    assert.equal(delivery.reply(1), '554 5.7.1 spam')
  })

  test(`a refused DATA decides as it says, ${way}`, async () => {
    const { delivery } = await attempt({ ...base, answer: says('DATA', '451 4.3.0 not now') }, { to: three })
    assert.deepEqual(
      [0, 1, 2].map((position) => delivery.how(position)),
      ['deferred', 'deferred', 'deferred'],
    )
    assert.equal(delivery.closes.length, 1)
  })
}

test('a host that takes DATA for nobody gets the dot it waits for, and nothing was delivered', async () => {
  const { mx, delivery } = await attempt(
    { answer: ({ verb }) => (verb === 'RCPT' ? '550 5.1.1 no' : verb === 'DATA' ? '354 go' : undefined) },
    { to: ['a@example.com'] },
  )
  assert.equal(delivery.how(), 'bounced')
  assert.equal(mx.messages[0]?.content.length, 0)
})

test('when a host takes no more recipients in one transaction, the rest follows in the next at once', async () => {
  const answer = ({ verb, session }: FakeCommand): string | undefined =>
    verb === 'RCPT' && session.rcpt.length >= 2 ? '452 4.5.3 too many recipients' : undefined
  const { mx, delivery } = await attempt({ answer }, { to: [...three, 'd@example.com', 'e@example.com'] })
  assert.ok([0, 1, 2, 3, 4].every((position) => delivery.how(position) === 'delivered'))
  assert.deepEqual(
    mx.messages.map(({ rcpt }) => rcpt.length),
    [2, 2, 1],
  )
})

test('a message has at most so many recipients in one transaction', async () => {
  const to = Array.from({ length: 250 }, (_, index) => `user${index}@example.com`)
  const { mx, delivery } = await attempt({}, { to })
  assert.equal(delivery.outcomes.size, 250)
  assert.deepEqual(
    mx.messages.map(({ rcpt }) => rcpt.length).toSorted((a, b) => b - a),
    [100, 100, 50],
  )
})

test('a final failure is reported to the sender in the same write, once for all its recipients', async () => {
  const { delivery } = await attempt(
    { answer: ({ verb, line }) => (verb === 'RCPT' ? `550 5.1.1 ${line.slice(8)} unknown` : undefined) },
    { to: three },
  )
  assert.equal(delivery.closes.length, 1)
  const outcome = delivery.outcomes.get(0)
  assert.ok(outcome?.how === 'bounced' && outcome.bounce !== undefined)
  const { envelope, content } = outcome.bounce.record
  assert.equal(envelope.from, '')
  assert.deepEqual(envelope.recipients, [{ address: 'sender@example.org', index: 0 }])
  assert.deepEqual(envelope.report, { record: delivery.envelope.id, recipients: [0, 1, 2] })
  const text = Buffer.from(content).toString()
  for (const address of three) assert.match(text, new RegExp(`Diagnostic-Code: smtp; 550 5.1.1 <${address}> unknown`))
  assert.equal(outcome.facts.reply, '550 5.1.1 <a@example.com> unknown (and 2 other replies)')
})

test('nobody is told who must not or cannot be', async () => {
  const rows: [what: string, options: Partial<FakeOptions>][] = [
    ['null sender: no bounce of a bounce', { to: ['a@example.com'], envelope: { from: '' } }],
    ['NOTIFY=NEVER', { to: [{ address: 'a@example.com', notify: ['NEVER'] }] }],
    ['NOTIFY=SUCCESS', { to: [{ address: 'a@example.com', notify: ['SUCCESS'] }] }],
  ]
  for (const [what, options] of rows) {
    const { delivery } = await attempt({ answer: says('RCPT', '550 5.1.1 no') }, { to: [], ...options })
    const outcome = delivery.outcomes.get(0)
    assert.ok(outcome?.how === 'bounced', what)
    assert.equal(outcome.bounce, undefined, what)
  }
})

test('recipients who want a report and those who do not are closed apart', async () => {
  const { delivery } = await attempt(
    { answer: says('RCPT', '550 5.1.1 no') },
    { to: ['a@example.com', { address: 'b@example.com', notify: ['NEVER'] }] },
  )
  const [a, b] = [delivery.outcomes.get(0), delivery.outcomes.get(1)]
  assert.ok(a?.how === 'bounced' && a.bounce !== undefined)
  assert.ok(b?.how === 'bounced' && b.bounce === undefined)
})

test('the report about a large message has its header, read from the body stream', async () => {
  const chunks = [
    Buffer.from('Subject: large\r\nX-A: 1\r\n\r'),
    Buffer.from('\nbody\r\n'),
    Buffer.alloc(300_000, 'x\r\n'),
  ]
  const { delivery } = await attempt({ answer: says('RCPT', '550 5.1.1 no') }, { to: ['a@example.com'], chunks })
  const outcome = delivery.outcomes.get(0)
  assert.ok(outcome?.how === 'bounced' && outcome.bounce !== undefined)
  assert.match(
    Buffer.from(outcome.bounce.record.content).toString(),
    /rfc822-headers\r\n[^]*Subject: large\r\nX-A: 1\r\n/,
  )
})

test('a temporary failure waits as the schedule says, and past the lifetime it is reported', async () => {
  const early = await attempt({ answer: says('RCPT', '451 4.7.1 greylisted') }, { to: ['a@example.com'] })
  const outcome = early.delivery.outcomes.get(0)
  assert.ok(outcome?.how === 'deferred')
  assert.equal(outcome.destination, 'smarthost')
  const wait = outcome.due - Date.now()
  assert.ok(wait > 20_000 && wait <= 36_000, `${wait} ms`)

  const late = await attempt(
    { answer: says('RCPT', '451 4.7.1 greylisted') },
    { to: ['a@example.com'], age: 6 * 86_400_000, envelope: { attempts: { count: 30 } } },
  )
  const end = late.delivery.outcomes.get(0)
  assert.ok(end?.how === 'expired' && end.bounce !== undefined)
  assert.match(Buffer.from(end.bounce.record.content).toString(), /Status: 4\.7\.1\r\n[^]*451 4\.7\.1 greylisted/)
})

test('what the next host does not offer to take is not sent', async () => {
  const bare: FakeMxOptions = { extensions: [] }
  const rows: [what: string, mx: FakeMxOptions, delivery: FakeOptions, expected: RegExp][] = [
    ['8-bit content', bare, { to: ['a@example.com'], content: 'Subject: x\r\n\r\nGrüße\r\n' }, /^5\.6\.3 /],
    ['8-bit local part', bare, { to: ['bärbel@example.com'] }, /^5\.6\.7 /],
    [
      'international header',
      { extensions: ['8BITMIME'] },
      { to: ['a@example.com'], content: 'Subject: ü\r\n\r\nx\r\n', envelope: { smtputf8: true } },
      /^5\.6\.7 /,
    ],
    [
      'too large',
      { extensions: ['SIZE 1000'] },
      { to: ['a@example.com'], content: Buffer.alloc(2000, 'x\r\n') },
      /^5\.3\.4 /,
    ],
  ]
  for (const [what, options, wanted, expected] of rows) {
    const { mx, delivery } = await attempt(options, wanted)
    assert.equal(delivery.how(), 'bounced', what)
    assert.match(delivery.reply() ?? '', expected, what)
    assert.ok(!mx.commands.some((command) => command.startsWith('MAIL')), what)
  }
})

test('what the next host offers is made use of, recipient by recipient', async () => {
  const { mx } = await attempt(
    {},
    {
      to: [
        { address: 'a@example.com', notify: ['SUCCESS', 'FAILURE'], orcpt: 'rfc822;old+2Ba@example.com' },
        { address: 'bärbel@example.com', notify: ['NEVER'] },
        'c@example.com',
      ],
      content: 'Subject: x\r\n\r\nGrüße\r\n',
      envelope: { ret: 'HDRS', envid: 'abc+2Bd', smtputf8: true },
    },
  )
  const [message] = mx.messages
  assert.equal(message?.mail, '<sender@example.org> SIZE=23 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=abc+2Bd')
  assert.deepEqual(message.rcpt, [
    '<a@example.com> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;old+2Ba@example.com',
    '<bärbel@example.com> NOTIFY=NEVER',
    '<c@example.com>',
  ])
})

test('a host without DSN gets none of its parameters, and an international domain in ASCII', async () => {
  const { mx } = await attempt(
    { extensions: ['PIPELINING'] },
    {
      to: [{ address: 'a@bücher.example', notify: ['FAILURE'] }],
      envelope: { ret: 'FULL', envid: 'x', smtputf8: true },
    },
  )
  assert.equal(mx.messages[0]?.mail, '<sender@example.org>')
  assert.deepEqual(mx.messages[0]?.rcpt, ['<a@xn--bcher-kva.example>'])
})

test('an address that could smuggle a command never leaves', async () => {
  const { mx, delivery } = await attempt({}, { to: ['a@example.com>\r\nRCPT TO:<evil@example.net', 'b@example.com'] })
  assert.deepEqual([delivery.how(0), delivery.how(1)], ['bounced', 'delivered'])
  assert.ok(!mx.commands.some((command) => command.includes('evil')))
})
