import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Resolver } from 'node:dns/promises'
import { connect } from 'node:net'
import { test, type TestContext } from 'node:test'
import { freePort } from '@posthouse/testkit/free-port'
import { History, type Attempt } from '../history.ts'
import { reconcile } from '../ledger.ts'
import { composeMessage } from '../message.ts'
import { seededRandom } from '../random.ts'
import { send } from '../sender.ts'
import { PATIENT } from '../smtp-client.ts'
import type { SiteBehaviour } from './sites.ts'
import { startSites } from './start-sites.ts'

const ADDRESSES = ['127.0.1.1', '127.0.1.2']

async function sitesFor(t: TestContext) {
  const history = new History()
  const [port, dnsPort] = [await freePort(), await freePort()]
  const sites = await startSites({
    addresses: ADDRESSES,
    port,
    dns: { host: '127.0.0.1', port: dnsPort },
    nameOf: (address) => (address === '127.0.0.1' ? 'some-node' : undefined),
    record: (arrival) => history.arrivals.push(arrival),
  })
  t.after(() => sites[Symbol.asyncDispose]())
  const resolver = new Resolver({ timeout: 1000, tries: 1 })
  resolver.setServers([`127.0.0.1:${dnsPort}`])
  return { sites, history, port, resolver }
}

/** What gets no answer is given up soon, what gets one is waited for. */
const BRIEF = { connectMs: 300, replyMs: 10_000, finalMs: 1000 }

/** Sends as a relay would, with the trace header on top; answers with what the site said of each. */
async function deliver(
  to: { host: string; port: number },
  domain: string,
  count: number,
  patience = PATIENT,
): Promise<Attempt[]> {
  const attempts: Attempt[] = []
  const random = seededRandom(1)
  let turn = 0
  await send({
    targets: [{ ...to, tls: 'none' }],
    sessions: 1,
    connections: 'kept',
    rate: 0,
    retryUnknown: false,
    giveUpMs: patience === PATIENT ? 10_000 : 200,
    patience,
    next: () => {
      if (turn++ >= count) return undefined
      const how = { random, size: 2000, recipients: 1, sender: 'a@sender.example', domain, date: new Date(0) }
      const message = composeMessage(`m${turn}`, how)
      const trace = Buffer.from(
        `Received: from a (b)\r\n\tby edge with ESMTP id 000000000000${turn}\r\n\tfor x; now\r\n`,
      )
      return { ...message, wire: Buffer.concat([trace, message.wire]) }
    },
    record: (attempt) => attempts.push(attempt),
  })
  return attempts
}

test('every domain, and the domains of the senders, lead to a site that takes the mail', async (t) => {
  const { sites, history, port, resolver } = await sitesFor(t)
  const hosts: string[] = []
  for (const domain of [...sites.domains, 'sender.example', 'posthouse.example']) {
    const [mx] = await resolver.resolveMx(domain)
    hosts.push(...(await resolver.resolve4(mx?.exchange ?? '')))
  }
  assert.deepEqual(hosts, [...ADDRESSES, ADDRESSES[0], ADDRESSES[0]])
  const attempts = await deliver({ host: ADDRESSES[1] as string, port }, 'site-2.example', 2)
  assert.deepEqual(reconcile(attempts, history.arrivals, 0).delivered, 2)
  assert.deepEqual(
    history.arrivals.map(({ queueId, from, unanswered }) => [queueId, from, unanswered]),
    [
      ['0000000000001', 'some-node', undefined],
      ['0000000000002', 'some-node', undefined],
    ],
  )
  assert.equal(reconcile(attempts, history.arrivals, 0).altered, 0)
})

const told = async (t: TestContext, behaviour: SiteBehaviour, count: number) => {
  const { sites, history, port } = await sitesFor(t)
  sites.behave('site-1.example', behaviour)
  const isMute = behaviour.silent === true || behaviour.hangEvery !== undefined
  const attempts = await deliver(
    { host: ADDRESSES[0] as string, port },
    'site-1.example',
    count,
    isMute ? BRIEF : PATIENT,
  )
  return {
    told: attempts.map((attempt) => attempt.told),
    arrived: history.arrivals.map(({ recipient, unanswered }) => [recipient[1], unanswered === true]),
  }
}

const BEHAVIOURS: [SiteBehaviour, string[], unknown[]][] = [
  [{}, ['accepted', 'accepted'], [['1', false], ['2', false]]], // prettier-ignore
  [{ tempfailEvery: 2 }, ['accepted', 'refused', 'accepted'], [['1', false], ['2', false]]], // prettier-ignore
  [{ tempfailRecipientEvery: 2 }, ['accepted', 'refused', 'accepted'], [['1', false], ['2', false]]], // prettier-ignore
  [{ hangEvery: 2 }, ['accepted', 'unknown'], [['1', false]]],
  [{ dropEvery: 2 }, ['accepted', 'unknown'], [['1', false]]],
  [{ dropEvery: 2, dropTakes: true }, ['accepted', 'unknown'], [['1', false], ['2', true]]], // prettier-ignore
  [{ silent: true }, [], []],
]
for (const [behaviour, answers, arrived] of BEHAVIOURS) {
  test(`a site does as it is told: ${JSON.stringify(behaviour)}`, async (t) => {
    assert.deepEqual(await told(t, behaviour, 2), { told: answers, arrived })
  })
}

test('healing ends what hangs, and mail is taken again', async (t) => {
  const { sites, history, port } = await sitesFor(t)
  sites.behave('site-1.example', { silent: true })
  const hanging = connect(port, ADDRESSES[0]).on('error', () => {})
  const ended = new Promise((resolve) => hanging.once('close', resolve))
  hanging.once('data', () => assert.fail('it is not silent'))
  hanging.write('EHLO a\r\n')
  assert.deepEqual(await deliver({ host: ADDRESSES[0] as string, port }, 'site-1.example', 1, BRIEF), [])
  sites.heal()
  await ended
  await deliver({ host: ADDRESSES[0] as string, port }, 'site-1.example', 1)
  assert.equal(history.arrivals.length, 1)
})

test('what hangs at one site does not keep another from taking mail', async (t) => {
  const { sites, history, port } = await sitesFor(t)
  sites.behave('site-1.example', { silent: true })
  await deliver({ host: ADDRESSES[1] as string, port }, 'site-2.example', 1)
  assert.equal(history.arrivals.length, 1)
})

test('the name server lies, fails or is silent as it is told, and is right again when healed', async (t) => {
  const { sites, resolver } = await sitesFor(t)
  sites.dns('lies')
  const [gone, deaf] = (await resolver.resolveMx('site-1.example')).toSorted((a, b) => a.priority - b.priority)
  await assert.rejects(resolver.resolve4(gone?.exchange ?? ''), { code: 'ENOTFOUND' })
  const [nobody] = await resolver.resolve4(deaf?.exchange ?? '')
  assert.ok(nobody !== undefined && !ADDRESSES.includes(nobody))
  sites.dns('SERVFAIL')
  for (const name of ['site-2.example', 'sender.example', 'elsewhere.example']) {
    await assert.rejects(resolver.resolveMx(name), { code: 'ESERVFAIL' })
  }
  sites.dns('silent')
  await assert.rejects(resolver.resolveMx('site-2.example'), { code: 'ETIMEOUT' })
  sites.heal()
  const again = await resolver.resolveMx('site-2.example')
  assert.deepEqual(
    again.map(({ exchange }) => exchange),
    ['mx.site-2.example'],
  )
  await assert.rejects(resolver.resolveMx('elsewhere.example'), { code: 'ENOTFOUND' })
})

test('on loopback the name in EHLO tells which delivery node it is', async (t) => {
  const { history, port } = await sitesFor(t)
  const socket = connect(port, ADDRESSES[0]).setEncoding('latin1')
  const dialogue = [
    'EHLO delivery-2.posthouse.example',
    'MAIL FROM:<>',
    'RCPT TO:<load@sender.example>',
    'DATA',
    'Message-ID: <0123456789ABC@delivery-2.posthouse.example>\r\n\r\nFinal-Recipient: rfc822; r@site-1.example\r\n.',
    'QUIT',
  ]
  socket.on('data', () => socket.write(`${dialogue.shift() ?? ''}\r\n`))
  await once(socket, 'close')
  assert.deepEqual(
    history.arrivals.map(({ at: _, ...arrival }) => arrival),
    [{ kind: 'bounce', recipient: 'r@site-1.example', digest: '', from: 'delivery-2', queueId: '0123456789ABC' }],
  )
})
