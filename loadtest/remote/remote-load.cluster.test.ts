// The remote load against real edges, queue and deliveries, over log-in and TLS of both kinds.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '@posthouse/testkit/free-port'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { Cluster } from '../cluster.ts'
import { CLUSTER_TEST } from '../trial.ts'
import { RemoteLoad } from './remote-load.ts'

const DRAIN_MS = 150_000
/** How often the load is looked at; looking takes time from the cluster. */
const LOOK_MS = 20

test(
  'an edge that stops closes its sessions in good order and refuses nothing; one that is killed loses connections and no mail',
  CLUSTER_TEST,
  async (t) => {
    await using folder = await temporaryFolder('remote')
    const port = await freePort()
    const smarthost = { host: '127.0.0.1', port }
    await using cluster = await Cluster.start({ dataDir: join(folder.path, 'cluster'), smarthost, signal: t.signal })
    await using load = await RemoteLoad.start({
      ways: { edges: cluster.targets('submission'), submissions: cluster.targets('submissions') },
      sender: cluster.userAddress(),
      domain: 'sink.example',
      rate: 60,
      sessions: 16,
      seed: 7,
      largest: 2 * 1024 * 1024,
      deferEvery: 50,
      mostMessages: 100_000,
      traceHeaders: 1,
      sink: smarthost,
    })
    const accepted = async (messages: number) => {
      while ((load.status().phase?.accepted ?? 0) < messages) await sleep(LOOK_MS, undefined, { signal: t.signal })
    }
    const hit = async (edge: string, signal: NodeJS.Signals) => {
      const { pids } = await cluster.facts()
      const pid = pids[edge]
      assert.ok(pid !== undefined)
      process.kill(pid, signal)
      await cluster.restarted(edge, pid)
    }

    await accepted(100)
    load.beginPhase('an edge stops')
    await hit('edge-1', 'SIGTERM')
    await accepted(100)
    const stop = load.beginPhase('an edge is killed')
    await hit('edge-2', 'SIGKILL')
    await accepted(100)
    const kill = load.beginPhase('drain')
    assert.equal((await load.drain(DRAIN_MS))?.complete, true)
    const verdict = load.verdict()
    t.diagnostic(JSON.stringify(verdict))

    assert.ok(stop !== undefined && kill !== undefined)
    assert.ok(stop.closedInGoodOrder > 0)
    assert.deepEqual([stop.refused, stop.lostConnections, stop.closedWithoutWord, stop.unknown], [0, 0, 0, 0])
    assert.equal(kill.refused, 0)
    assert.ok(kill.closedWithoutWord + kill.lostConnections > 0)
    assert.deepEqual([verdict.judgement, verdict.why], ['sound', []])
    const { messages, recipients, legalDuplicates, duplicates, phases } = verdict
    // The fate of a message that the killed edge had may stay unknown, if its client had not sent it again when sending ended.
    assert.deepEqual([messages.missing, duplicates], [0, 0])
    assert.ok(recipients.delivered === recipients.accepted + legalDuplicates)
    assert.ok(
      phases.some(({ deferred }) => deferred > 0) &&
        phases.some(({ deferredDeliveryMs }) => deferredDeliveryMs.p50 !== null),
    )
  },
)
