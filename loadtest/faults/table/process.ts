// Processes that die, freeze or stop, one of a kind or all of it.

import { bringUp } from '../bring-up.ts'
import type { Fault, Scene } from '../fault.ts'
import type { NodeKind, RoomNode } from '../room.ts'

type Clustered = Exclude<NodeKind, 'balancer'>
const CLUSTERED: readonly Clustered[] = ['nats', 'edge', 'delivery']
const NOUN = { nats: 'NATS server', edge: 'edge', delivery: 'delivery node' } as const

/** How long a supervisor takes to start a dead process again. */
const RESTART_MS = 2000
/** Longer than a lease (10 s) and the time in which its end is noticed. */
export const DOWN_MS = 15_000
const FROZEN_MS = 60_000
/** A lease of 10 s, read at most 2 s late, and the reading of the log. */
export const TAKEOVER_MS = 20_000
const LEASE_MS = 10_000

export async function killAndRestart(scene: Scene, nodes: readonly RoomNode[], downMs: number): Promise<void> {
  const names = nodes.map(({ name }) => name)
  scene.mark('hit', names, `kill -9 ${names.join(' ')}`)
  await Promise.all(nodes.map((node) => node.kill()))
  await scene.hold(downMs)
  await bringUp(nodes)
  scene.mark('heal', names, 'started again')
}

function barsOf(kind: Clustered): Fault['bars'] {
  return kind === 'delivery'
    ? { gapMs: 1000, duplicates: true, takeoverMs: TAKEOVER_MS }
    : { gapMs: 1000, duplicates: false }
}

function kill(kind: Clustered): Fault {
  return {
    name: `kill-${kind}`,
    kind: 'process',
    what: `kill -9 of one ${NOUN[kind]}, started again after ${DOWN_MS / 1000} s`,
    needs: 'loopback',
    quick: kind === 'delivery',
    bars: barsOf(kind),
    run: (scene) => killAndRestart(scene, [scene.pick(scene.room.nodes(kind))], DOWN_MS),
  }
}

function freeze(kind: Clustered): Fault {
  return {
    name: `freeze-${kind}`,
    kind: 'process',
    what: `SIGSTOP of one ${NOUN[kind]}, SIGCONT after ${FROZEN_MS / 1000} s`,
    needs: 'loopback',
    bars: barsOf(kind),
    async run(scene) {
      const node = scene.pick(scene.room.nodes(kind))
      scene.mark('hit', [node.name], `freeze ${node.name}`)
      node.freeze()
      await scene.hold(FROZEN_MS, DOWN_MS)
      node.thaw()
      scene.mark('heal', [node.name], 'goes on')
    },
  }
}

function stop(kind: Clustered): Fault {
  return {
    name: `stop-${kind}`,
    kind: 'process',
    what: `one ${NOUN[kind]} is stopped in good order and started again`,
    needs: 'loopback',
    quick: kind === 'edge',
    bars: { gapMs: 1000, duplicates: false },
    async run(scene) {
      const node = scene.pick(scene.room.nodes(kind))
      scene.mark('hit', [node.name], `stop ${node.name}`)
      await node.stop()
      await scene.sleep(RESTART_MS)
      await bringUp([node])
      scene.mark('heal', [node.name], 'started again')
    },
  }
}

const allNats: Fault = {
  name: 'kill-all-nats',
  kind: 'process',
  what: 'kill -9 of all NATS servers at once, started again after 2 s',
  needs: 'loopback',
  bars: { gapMs: null, duplicates: true, why: 'without a majority of the servers nothing can be stored' },
  run: (scene) => killAndRestart(scene, scene.room.nodes('nats'), RESTART_MS),
}

const oneOfEach: Fault = {
  name: 'kill-one-of-each',
  kind: 'process',
  what: 'kill -9 of one NATS server, one edge and one delivery node in the same moment',
  needs: 'loopback',
  bars: { gapMs: null, duplicates: true, why: 'three failures at once: measured, not promised' },
  run: (scene) =>
    killAndRestart(
      scene,
      CLUSTERED.map((kind) => scene.pick(scene.room.nodes(kind))),
      DOWN_MS,
    ),
}

/** Whoever starts next must wait until the leases of the dead have run out: that is later than 10 s after the restart. */
const ALL_LEASES_RUN_OUT: Fault['bars'] = {
  gapMs: 1000,
  duplicates: true,
  recoveryMs: TAKEOVER_MS,
  why: 'the leases of all owners have to run out first',
}

const allDeliveries: Fault = {
  name: 'kill-all-deliveries',
  kind: 'process',
  what: 'kill -9 of all delivery nodes at once: mail is taken and waits',
  needs: 'loopback',
  bars: ALL_LEASES_RUN_OUT,
  async run(scene) {
    await killAndRestart(scene, scene.room.nodes('delivery'), RESTART_MS)
    await scene.hold(LEASE_MS)
  },
}

const killTheSuccessor: Fault = {
  name: 'kill-delivery-twice',
  kind: 'process',
  what: 'kill -9 of one delivery node, and of the next one in the middle of taking over',
  needs: 'loopback',
  bars: ALL_LEASES_RUN_OUT,
  async run(scene) {
    const [first, second] = scene.room.nodes('delivery') as [RoomNode, RoomNode]
    scene.mark('hit', [first.name], `kill -9 ${first.name}`)
    await first.kill()
    await scene.sleep(10_000 + scene.random() * 3000)
    scene.mark('hit', [second.name], `kill -9 ${second.name}`)
    await second.kill()
    await scene.sleep(RESTART_MS)
    await bringUp([first, second])
    scene.mark('heal', [first.name, second.name], 'started again')
    await scene.hold(LEASE_MS)
  },
}

export const processFaults: readonly Fault[] = [
  ...CLUSTERED.map(kill),
  ...CLUSTERED.map(freeze),
  ...CLUSTERED.map(stop),
  allNats,
  allDeliveries,
  oneOfEach,
  killTheSuccessor,
]
