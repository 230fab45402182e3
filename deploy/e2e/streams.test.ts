import assert from 'node:assert/strict'
import { test } from 'node:test'
import { leaders, notCurrent, type Jsz } from './streams.ts'

const SERVERS = ['nats-0', 'nats-1', 'nats-2']

interface Told {
  readonly name: string
  readonly leader?: string
  readonly behind?: string
  readonly offline?: string
}

/** What one server says of the streams: it knows of the others' state only of those that it leads. */
function answer(server: string, streams: readonly Told[]): Jsz {
  const detail = streams.map(({ name, leader, behind, offline }) => ({
    name,
    config: { num_replicas: 3 },
    cluster: {
      ...(leader === undefined ? {} : { leader }),
      replicas: SERVERS.filter((other) => other !== server).map((other) => ({
        name: other,
        current: leader === server && other !== behind,
        ...(other === offline ? { offline: true } : {}),
      })),
    },
  }))
  return { server, account_details: [{ stream_detail: detail }] }
}

const EXPECTED = { servers: 3, streams: 2, replicas: 3 }
const all = (streams: readonly Told[]) => SERVERS.map((server) => answer(server, streams))
const A = { name: 'A', leader: 'nats-0' }
const B = { name: 'B', leader: 'nats-2' }

test('streams whose own leaders say that all copies are current lack nothing', () => {
  assert.deepEqual(notCurrent(all([A, B]), EXPECTED), [])
})

const lacking: readonly [what: string, answers: readonly Jsz[], lines: readonly string[]][] = [
  ['a server that does not answer', all([A, B]).slice(1), ['1 of 3 NATS servers do not answer']],
  ['a stream without a leader', all([A, { name: 'B' }]), ['stream B: no leader']],
  [
    'a leader that another server names, and that knows nothing of it',
    all([A, { ...B, leader: 'nats-9' }]),
    ['stream B: no leader'],
  ],
  ['a stream that is not there', all([A]), ['1 of 2 streams']],
  ['a copy that is behind', all([A, { ...B, behind: 'nats-1' }]), ['stream B: 2 of 3 copies current']],
  ['a copy that is offline', all([{ ...A, offline: 'nats-2' }, B]), ['stream A: 2 of 3 copies current']],
]
for (const [what, answers, lines] of lacking) {
  test(`${what} is waited for`, () => assert.deepEqual(notCurrent(answers, EXPECTED), lines))
}

test('a stream with fewer copies than wanted is waited for, though its leader is content', () => {
  const single: Jsz = {
    server: 'nats-0',
    account_details: [{ stream_detail: [{ name: 'A', config: { num_replicas: 1 }, cluster: { leader: 'nats-0' } }] }],
  }
  assert.deepEqual(notCurrent([single], { servers: 1, streams: 1, replicas: 3 }), ['stream A: 1 of 3 copies current'])
})

test('a copy that is behind for a moment is not waited for when it was seen current; one that was never is', () => {
  const seen = new Set<string>()
  assert.deepEqual(notCurrent(all([{ ...A, behind: 'nats-1' }, B]), EXPECTED, seen), [
    'stream A: 2 of 3 copies current',
  ])
  assert.deepEqual(notCurrent(all([A, { ...B, behind: 'nats-1' }]), EXPECTED, seen), [])
  assert.deepEqual([...seen], ['B', 'A'])
})

test('the server that leads most streams comes first', () => {
  const counted = leaders(all([A, B, { name: 'C', leader: 'nats-2' }, { name: 'D' }]))
  assert.deepEqual(counted, [
    ['nats-2', 2],
    ['nats-0', 1],
  ])
})
