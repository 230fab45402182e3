import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { FakeAction, FakeCommand } from '@posthouse/testkit/fake-mx'
import type { PhaseSummary } from './phase-summary.ts'
import { RemoteLoad, type RemoteOptions } from './remote-load.ts'
import { TestEdge, type Delivery, type Plan } from './test-edge.ts'

type Answer = (command: FakeCommand) => FakeAction | undefined

const USUAL: Omit<RemoteOptions, 'ways'> = {
  sender: 'load@sender.example',
  domain: 'sink.example',
  rate: 1000,
  sessions: 6,
  seed: 1,
  largest: 64 * 1024,
  deferEvery: 0,
  mostMessages: 60,
  traceHeaders: 1,
  sink: { host: '127.0.0.1', port: 0 },
}
const LONG_MS = 60_000

async function loadOn(t: TestContext, edges: readonly TestEdge[], options: Partial<RemoteOptions> = {}) {
  const targets = edges.map(({ mx }) => ({ host: '127.0.0.1', port: mx.port, tls: 'none' as const }))
  const load = await RemoteLoad.start({ ...USUAL, ways: { edges: targets, submissions: [] }, ...options })
  t.after(() => load[Symbol.asyncDispose]())
  for (const edge of edges) edge.deliversTo(load.sinkPort)
  return load
}

async function edge(t: TestContext, answer?: Answer, plan?: Plan): Promise<TestEdge> {
  const started = await TestEdge.start(answer === undefined ? {} : { answer }, plan)
  t.after(() => started[Symbol.asyncDispose]())
  return started
}

/** So many messages have been seen through, and no other is in hand. */
async function settled(load: RemoteLoad, messages: number): Promise<void> {
  for (let now = load.status(); now.messages < messages || now.inHand > 0; now = load.status()) await turn()
}

/** So many final dots have got their 250 in this phase. */
async function accepted(load: RemoteLoad, messages: number): Promise<void> {
  while (phase(load).accepted < messages) await turn()
}

function phase(load: RemoteLoad): PhaseSummary {
  const { phase: current } = load.status()
  assert.ok(current !== undefined)
  return current
}

const every = (count: number, verb: string, action: (command: FakeCommand) => FakeAction): Answer => {
  let turn = 0
  return (command) => (command.verb === verb && ++turn % count === 0 ? action(command) : undefined)
}

test('what is sent arrives whole and once, also what the sink sent away at first', async (t) => {
  const load = await loadOn(t, [await edge(t)], { deferEvery: 5 })
  await settled(load, 60)
  const drained = await load.drain(LONG_MS)
  assert.equal(drained?.complete, true)
  const verdict = load.verdict()
  assert.equal(verdict.judgement, 'sound', verdict.why.join())
  const { recipients, messages } = verdict
  assert.deepEqual([messages.accepted, messages.delivered, recipients.duplicates], [60, 60, 0])
  assert.ok(recipients.accepted > 60 && recipients.accepted === recipients.delivered)
  const { deferred, deferredDeliveryMs, acceptedRecipients, edges, connections, refused } = phase(load)
  assert.ok(deferred > 0 && deferredDeliveryMs.longest !== null)
  assert.ok(connections >= 6)
  assert.deepEqual([acceptedRecipients, edges, refused], [recipients.accepted, { 'edge-1.example': 60 }, 0])
})

/** At the 20th message. */
const PLANTED: Record<
  string,
  { plan: (mail: Delivery) => readonly Delivery[]; found: Partial<Record<string, number>> }
> = {
  'a planted loss': { plan: () => [], found: { lost: 1 } },
  'a planted duplicate': { plan: (mail) => [mail, mail], found: { duplicates: 1 } },
  'a planted alteration': {
    plan: (mail) => [{ ...mail, content: Buffer.concat([mail.content, Buffer.from(' \r\n')]) }],
    found: { altered: 1 },
  },
  'a planted stranger': {
    plan: (mail) => [mail, { ...mail, recipients: ['x@sink.example'] }],
    found: { unexpected: 1 },
  },
}

for (const [name, { plan, found }] of Object.entries(PLANTED)) {
  test(`${name} is found, and nothing else`, async (t) => {
    const one: Plan = (mail, turn) => {
      const { recipients } = mail
      return turn === 20 ? [...plan({ ...mail, recipients: recipients.slice(0, 1) }), ...rest(mail)] : [mail]
    }
    const taking = await edge(t, undefined, one)
    const load = await loadOn(t, [taking])
    await settled(load, 60)
    await load.stop(LONG_MS)
    await taking.mx.until(() => taking.brought === 60)
    await load.drain(0)
    const { lost, duplicates, altered, unexpected, judgement } = load.verdict()
    const none = { lost: 0, duplicates: 0, altered: 0, unexpected: 0 }
    assert.deepEqual({ lost, duplicates, altered, unexpected }, { ...none, ...found })
    assert.equal(judgement, found['duplicates'] === undefined ? 'faulty' : 'sound')
    assert.equal(phase(load).duplicates, duplicates)
  })
}

function rest(mail: Delivery): Delivery[] {
  return mail.recipients.length > 1 ? [{ ...mail, recipients: mail.recipients.slice(1) }] : []
}

for (const [verb, stage] of [
  ['MAIL', 'MAIL'],
  ['RCPT', 'RCPT'],
  ['DATA', 'DATA'],
  ['DOT', 'dot'],
] as const) {
  test(`refusals of ${stage} are counted with their words, and the messages tried again until they are taken`, async (t) => {
    const load = await loadOn(t, [
      await edge(
        t,
        every(7, verb, () => '451 4.3.0 Not today'),
      ),
    ])
    await settled(load, 60)
    await load.drain(LONG_MS)
    assert.equal(load.verdict().judgement, 'sound')
    const { refused, refusedAt, refusals, retried, messages, givenUp, lostConnections } = phase(load)
    assert.ok(refused >= 8)
    assert.deepEqual(refusedAt, { [stage]: refused })
    assert.deepEqual([refusals[0]?.code, refusals[0]?.text], [451, '4.3.0 Not today'])
    assert.ok(refusals[0]?.edge.endsWith(' edge-1.example'))
    assert.ok(retried > 0)
    assert.deepEqual([messages, givenUp, lostConnections], [60, 0, 0])
  })
}

test('a refusal for good is given up, and is no loss', async (t) => {
  const load = await loadOn(t, [
    await edge(
      t,
      every(10, 'MAIL', () => '550 5.7.1 Never'),
    ),
  ])
  await settled(load, 60)
  await load.drain(LONG_MS)
  assert.deepEqual([phase(load).givenUp, phase(load).refused, load.verdict().judgement], [6, 6, 'sound'])
})

test('an edge that stops in good order refuses nothing: its sessions get 421 and go on elsewhere', async (t) => {
  let stopping = false
  const stops: Answer = ({ verb, session }) => {
    if (!stopping || (verb !== 'MAIL' && verb !== 'CONNECT')) return undefined
    if (verb === 'CONNECT') return { do: 'drop' }
    setImmediate(() => session.destroy())
    return '421 4.3.2 Service shutting down'
  }
  const [one, other] = [await edge(t, stops), await edge(t)]
  const load = await loadOn(t, [one, other], { mostMessages: 400 })
  await accepted(load, 60)
  load.beginPhase('stop')
  stopping = true
  await accepted(load, 100)
  await load.drain(LONG_MS)
  const { closedInGoodOrder, refused, lostConnections, closedWithoutWord, unknown, repeated } = phase(load)
  assert.ok(closedInGoodOrder > 0)
  assert.deepEqual([refused, lostConnections, closedWithoutWord, unknown, repeated], [0, 0, 0, 0, 0])
  assert.equal(load.verdict().judgement, 'sound')
})

test('an edge that is killed loses connections, and what may have been accepted is sent again', async (t) => {
  const dying = await edge(
    t,
    every(5, 'DOT', () => ({ do: 'reset' })),
  )
  const load = await loadOn(t, [await edge(t), dying])
  await settled(load, 60)
  await load.drain(LONG_MS)
  const { unknown, repeated, lostConnections, lostAt, losses, refused } = phase(load)
  assert.ok(unknown > 0)
  assert.deepEqual([repeated, lostConnections, refused], [unknown, unknown, 0])
  assert.deepEqual(lostAt, { dot: unknown })
  assert.ok(losses[0]?.edge.startsWith('127.0.0.1:'))
  const verdict = load.verdict()
  assert.deepEqual([verdict.judgement, verdict.messages.unknown, verdict.messages.accepted], ['sound', 0, 60])
})

test('a copy of unknown fate that arrives besides the one sent again is a legal duplicate', async (t) => {
  // The reply to the tenth dot is lost; the message was taken all the same.
  let dots = 0
  const taking = await edge(t, ({ verb, session }) => {
    if (verb !== 'DOT' || ++dots !== 10) return undefined
    session.destroy()
    return '250 2.0.0 nobody hears this'
  })
  const load = await loadOn(t, [taking])
  await settled(load, 60)
  await load.stop(LONG_MS)
  await taking.mx.until(() => taking.brought === 61)
  await load.drain(LONG_MS)
  const { judgement, legalDuplicates, duplicates, unknown } = load.verdict()
  assert.ok(legalDuplicates > 0 && legalDuplicates === unknown)
  assert.deepEqual([judgement, duplicates, phase(load).repeated, phase(load).duplicates], ['sound', 0, 1, 0])
})

test('an edge that cannot be reached, or does not want us, is counted and another one used', async (t) => {
  const gone = await TestEdge.start()
  const away = { host: '127.0.0.1', port: gone.mx.port, tls: 'none' as const }
  await gone[Symbol.asyncDispose]()
  const [taking, busy] = [
    await edge(t),
    await edge(t, ({ verb }) => (verb === 'CONNECT' ? '421 4.3.2 Busy' : undefined)),
  ]
  const edges = [away, ...[busy, taking].map(({ mx }) => ({ ...away, port: mx.port }))]
  const load = await loadOn(t, [taking], { ways: { edges, submissions: [] } })
  await settled(load, 60)
  await load.drain(LONG_MS)
  const { connectFailures, connectTroubles, turnedAway, turnedAwayWith, refused, closedInGoodOrder } = phase(load)
  assert.ok(connectFailures > 0 && turnedAway > 0)
  assert.equal(connectTroubles[0]?.edge, `127.0.0.1:${away.port}`)
  assert.deepEqual([turnedAwayWith[0]?.stage, turnedAwayWith[0]?.code], ['greeting', 421])
  assert.deepEqual([refused, closedInGoodOrder, load.verdict().judgement], [0, 0, 'sound'])
})

test('phases count what happens in them, and the same phase asked for twice begins once', async (t) => {
  const load = await loadOn(t, [await edge(t)], { rate: 0 })
  assert.equal(load.beginPhase('start'), undefined)
  load.beginPhase('calm')
  assert.equal(load.setRate(1000), true)
  await settled(load, 60)
  const calm = load.beginPhase('after')
  assert.deepEqual(load.beginPhase('after'), calm)
  assert.deepEqual([calm?.name, calm?.messages, calm?.accepted], ['calm', 60, 60])
  assert.equal(phase(load).messages, 0)
  await load.drain(LONG_MS)
  const { phases, recipients } = load.verdict()
  assert.deepEqual(
    phases.map(({ name, accepted, ended }) => [name, accepted, ended === null]),
    [
      ['start', 0, false],
      ['calm', 60, false],
      ['after', 0, true],
    ],
  )
  assert.equal(
    phases.reduce((sum, { deliveries }) => sum + deliveries, 0),
    recipients.delivered,
  )
})

test('without a drain, and after one that was broken off, what is missing is undecided and not lost', async (t) => {
  const load = await loadOn(t, [await edge(t, undefined, () => [])])
  await settled(load, 60)
  await load.stop(LONG_MS)
  const before = load.verdict()
  assert.deepEqual([before.judgement, before.lost], ['undecided', 0])
  assert.ok(before.undecided >= 60)
  const draining = load.drain(LONG_MS)
  await load[Symbol.asyncDispose]()
  assert.equal(await draining, null)
  assert.equal(load.verdict().lost, 0)
})

test('after a drain what is missing is lost, but for what is said to be queued', async (t) => {
  const load = await loadOn(t, [await edge(t, undefined, () => [])])
  await settled(load, 60)
  assert.equal((await load.drain(0))?.complete, false)
  const { lost, recipients } = load.verdict()
  assert.equal(lost, recipients.accepted)
  assert.equal(load.verdict(lost - 1).lost, 1)
  assert.equal(load.verdict(lost).judgement, 'sound')
})

test('a load that has been stopped sends nothing more; what gets no answer then is unknown and not lost', async (t) => {
  const silent = await edge(t, ({ verb }) => (verb === 'DOT' ? { do: 'hang' } : undefined))
  const load = await loadOn(t, [silent])
  await silent.mx.until(({ dots }) => dots === 6)
  assert.equal(load.verdict().judgement, 'undecided')
  await load.stop(0)
  assert.equal(load.setRate(10), false)
  await load.drain(LONG_MS)
  const { judgement, lost, messages } = load.verdict()
  assert.deepEqual([load.status().messages, load.status().state], [6, 'stopped'])
  assert.deepEqual([judgement, lost, messages.accepted, messages.unknown], ['undecided', 0, 0, 6])
  const { abandoned, unknown, lostConnections, givenUp } = phase(load)
  assert.deepEqual([abandoned, unknown, lostConnections, givenUp], [6, 6, 0, 6])
})
