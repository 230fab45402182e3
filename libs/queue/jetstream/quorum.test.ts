import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ReplicaInfo, StreamInfo } from './api.ts'
import { hasQuorum } from './quorum.ts'

const SECOND = 1e9
const well: ReplicaInfo = { name: 'b', current: true, active: 0.3 * SECOND }
const lost: ReplicaInfo = { name: 'c', current: true, active: 6 * SECOND }
const longLost: ReplicaInfo = { name: 'c', current: false, active: 600 * SECOND }
const neverHeard: ReplicaInfo = { name: 'c', current: false, active: 0 }
const offline: ReplicaInfo = { name: 'c', current: false, active: 1 * SECOND, offline: true }
const catchingUp: ReplicaInfo = { name: 'c', current: false, active: 0.5 * SECOND, lag: 9000 }

const answer = (cluster: StreamInfo['cluster']) => (cluster === undefined ? {} : { cluster }) as unknown as StreamInfo

describe('a stream has a quorum', () => {
  const table: readonly [string, StreamInfo['cluster'], boolean][] = [
    ['a server without a cluster', undefined, true],
    ['one replica, led', { leader: 'a' }, true],
    ['one replica, its server gone', { replicas: [lost] }, false],
    ['all three well', { leader: 'a', replicas: [well, well] }, true],
    ['one just lost', { leader: 'a', replicas: [well, lost] }, true],
    ['one lost for long', { leader: 'a', replicas: [well, longLost] }, true],
    ['one said to be offline', { leader: 'a', replicas: [well, offline] }, true],
    ['one not heard of since the election', { leader: 'a', replicas: [well, neverHeard] }, true],
    ['one back and catching up, one lost', { leader: 'a', replicas: [catchingUp, lost] }, true],
    ['both lost', { leader: 'a', replicas: [lost, lost] }, false],
    ['both lost for long', { leader: 'a', replicas: [longLost, longLost] }, false],
    ['one lost, one offline', { leader: 'a', replicas: [lost, offline] }, false],
    ['one lost, one not heard of since the election', { leader: 'a', replicas: [lost, neverHeard] }, false],
    ['no leader, though all talk', { replicas: [well, well, well] }, false],
    ['a leader without a name', { leader: '', replicas: [well, well, well] }, false],
    ['three of five', { leader: 'a', replicas: [well, well, lost, lost] }, true],
    ['two of five', { leader: 'a', replicas: [well, lost, lost, lost] }, false],
    ['two of four', { leader: 'a', replicas: [well, lost, lost] }, false],
  ]
  for (const [what, cluster, expected] of table) {
    it(`${expected ? 'with' : 'not with'} ${what}`, () => assert.equal(hasQuorum(answer(cluster)), expected))
  }
})
