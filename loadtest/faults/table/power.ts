// Power cuts: what was written and not fsynced is gone.

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { holdWriteback } from '../breakage/writeback.ts'
import { bringUp } from '../bring-up.ts'
import type { Fault, Scene } from '../fault.ts'
import type { RoomNode } from '../room.ts'
import { DISK_MIB } from './disk.ts'
import { DOWN_MS } from './process.ts'

const run = promisify(execFile)

const DARK_MS = 2000
/** For so long before the cut the kernel writes nothing of itself: what is acknowledged then is on disk by an fsync or not at all. */
const UNWRITTEN_MS = 5000

async function cutPower(scene: Scene, nodes: readonly RoomNode[]): Promise<void> {
  const names = nodes.map(({ name }) => name)
  const letGo = await holdWriteback()
  try {
    await scene.hold(UNWRITTEN_MS)
    scene.mark('hit', names, `power cut of ${names.join(' ')}`)
    await scene.room.powerCut(nodes)
  } finally {
    await letGo()
  }
  await scene.sleep(DARK_MS)
  await bringUp(nodes)
  scene.mark('heal', names, 'power is back')
}

const WITHOUT_QUORUM = 'without a majority of the servers nothing can be stored'

const all: Fault = {
  name: 'power-cut',
  kind: 'power',
  what: 'power cut of all NATS servers at once: their un-fsynced writes are gone',
  needs: 'namespaces',
  quick: true,
  room: { diskMiB: DISK_MIB },
  bars: { gapMs: null, duplicates: true, why: WITHOUT_QUORUM },
  run: (scene) => cutPower(scene, scene.room.nodes('nats')),
}

const duringElection: Fault = {
  name: 'power-cut-in-election',
  kind: 'power',
  what: 'power cut of all NATS servers while they elect new leaders for one that was frozen',
  needs: 'namespaces',
  room: { diskMiB: DISK_MIB },
  bars: { gapMs: null, duplicates: true, why: WITHOUT_QUORUM },
  async run(scene) {
    const nodes = scene.room.nodes('nats')
    const frozen = scene.pick(nodes)
    scene.mark('hit', [frozen.name], `freeze ${frozen.name}`)
    frozen.freeze()
    // Elections begin 4 to 9 s after the last heartbeat, and the cut comes 5 s after this.
    await scene.sleep(scene.random() * 4000)
    await cutPower(scene, nodes)
  },
}

const oneByOne: Fault = {
  name: 'power-cut-one-by-one',
  kind: 'power',
  what: 'power cut of each NATS server, one after the other, each back before the next',
  needs: 'namespaces',
  room: { diskMiB: DISK_MIB },
  bars: { gapMs: 1000, duplicates: false },
  async run(scene) {
    for (const node of scene.room.nodes('nats')) {
      await cutPower(scene, [node])
      await scene.hold(DOWN_MS)
    }
  },
}

const planted: Fault = {
  name: 'power-cut-without-fsync',
  kind: 'power',
  what: 'the planted fault: a power cut of servers that fsync only every two minutes must lose mail',
  needs: 'namespaces',
  room: { diskMiB: DISK_MIB, sync: '2m' },
  bars: { gapMs: null, duplicates: true, losses: true, why: 'the test of the test: it must show losses' },
  async run(scene) {
    // The streams themselves are to survive, and a backlog that only the servers hold is to be lost.
    await run('sync')
    for (const domain of scene.sites.domains) scene.sites.behave(domain, { silent: true })
    await scene.sleep(DARK_MS)
    await cutPower(scene, scene.room.nodes('nats'))
    scene.sites.heal()
  },
}

export const powerFaults: readonly Fault[] = [all, duringElection, oneByOne, planted]
