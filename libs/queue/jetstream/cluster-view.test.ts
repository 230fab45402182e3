import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ReplicaInfo, StreamInfo } from './api.ts'
import { clusterView, IN_STEP, type ClusterSeen, type StreamSeen } from './cluster-view.ts'

const SECOND = 1e9
const well = (name: string): ReplicaInfo => ({ name, current: true, active: 0.3 * SECOND })
const lost = (name: string): ReplicaInfo => ({ name, current: true, active: 8 * SECOND, lag: 3 })
const lagging = (name: string, lag: number): ReplicaInfo => ({ name, current: false, active: 0.3 * SECOND, lag })

function stream(leader: string | undefined, replicas: readonly ReplicaInfo[], answers = true): StreamSeen {
  const info = {
    config: { name: 'MAIL_0', num_replicas: 3, max_bytes: 1000 },
    state: { messages: 4, bytes: 500, first_seq: 7, last_seq: 10 },
    cluster: { ...(leader === undefined ? {} : { leader }), replicas },
  } as unknown as StreamInfo
  return { name: 'MAIL_0', kind: 'mail', partition: 0, info, answers }
}
const neverSeen: StreamSeen = { name: 'LOG_0', kind: 'log', partition: 0, info: undefined, answers: false }

const seen = (streams: readonly StreamSeen[], more: Partial<ClusterSeen> = {}): ClusterSeen => ({
  ago: 5,
  streams,
  account: undefined,
  connected: ['a'],
  disconnected: undefined,
  ...more,
})

/** leader, behind, lag; then the servers, + for online, with the number of streams each leads. */
function inShort(given: ClusterSeen): string {
  const view = clusterView(given)
  const streams = view.streams.map(({ leader, behind, lag }) => `${leader ?? 'nobody'} ${behind} ${lag}`)
  const servers = view.servers.map(({ name, online, leads }) => `${name}${online ? '+' : '-'}${leads}`)
  return `${streams.join(', ')}; ${servers.join(' ')}`
}

describe('the view of a cluster', () => {
  const table: readonly [string, ClusterSeen, string][] = [
    ['all well', seen([stream('a', [well('b'), well('c')])]), 'a 0 0; a+1 b+0 c+0'],
    ['a replica lost', seen([stream('a', [well('b'), lost('c')])]), 'a 1 3; a+1 b+0 c-0'],
    [
      'another leader still hears it',
      seen([stream('a', [well('b'), lost('c')]), stream('b', [well('a'), well('c')])]),
      'a 1 3, b 0 0; a+1 b+1 c+0',
    ],
    [
      'a replica some operations behind',
      seen([stream('a', [well('b'), lagging('c', IN_STEP)])]),
      'a 0 256; a+1 b+0 c+0',
    ],
    ['a replica far behind', seen([stream('a', [well('b'), lagging('c', IN_STEP + 1)])]), 'a 1 257; a+1 b+0 c+0'],
    [
      'a leader without followers leads nothing',
      seen([stream('c', [lost('a'), lost('b')])], { connected: ['c'] }),
      'nobody 2 0; a-0 b-0 c+0',
    ],
    ['no leader', seen([stream(undefined, [lost('b'), lost('c'), well('a')])]), 'nobody 2 0; a+0 b-0 c-0'],
    ['no answer any more', seen([stream('b', [well('a'), well('c')], false)]), 'nobody 2 0; a+0 b-0 c-0'],
    [
      'not connected',
      seen([stream('b', [well('a'), well('c')], false)], { connected: [], disconnected: 'no server' }),
      'nobody 2 0; a-0 b-0 c-0',
    ],
    ['a stream never seen', seen([neverSeen]), 'nobody 0 0; a+0'],
    [
      'connected to a server without streams',
      seen([stream('a', [well('b'), well('c')])], { connected: ['a', 'd'] }),
      'a 0 0; a+1 b+0 c+0 d+0',
    ],
  ]
  for (const [what, given, expected] of table) {
    it(`is "${expected}": ${what}`, () => assert.equal(inShort(given), expected))
  }

  it('repeats what a stream holds', () => {
    assert.deepEqual(clusterView(seen([stream('a', [well('b'), well('c')])])).streams, [
      {
        name: 'MAIL_0',
        kind: 'mail',
        partition: 0,
        leader: 'a',
        replicas: 3,
        behind: 0,
        lag: 0,
        messages: 4,
        bytes: 500,
        maxBytes: 1000,
        firstSeq: 7,
        lastSeq: 10,
      },
    ])
  })

  const storage: readonly [string, ClusterSeen['account'], object][] = [
    ['not known', undefined, { used: 0, limit: undefined }],
    ['without a limit', { storage: 12, limits: { max_storage: -1 } }, { used: 12, limit: undefined }],
    ['with a limit', { storage: 12, limits: { max_storage: 100 } }, { used: 12, limit: 100 }],
  ]
  for (const [what, account, expected] of storage) {
    it(`tells the room of the account: ${what}`, () => {
      assert.deepEqual(clusterView(seen([], { account })).storage, expected)
    })
  }
})
