// What operators do on purpose while mail flows: restart, upgrade, roll back, scale.

import type { Fault, Scene } from '../fault.ts'
import { previousRelease } from '../previous-release.ts'
import type { RoomNode } from '../room.ts'

async function restart(scene: Scene, node: RoomNode): Promise<void> {
  await node.stop()
  await node.start()
  await node.ready()
  await scene.flowing(20)
}

const rollingRestart: Fault = {
  name: 'rolling-restart',
  kind: 'change',
  what: 'every NATS server, edge and delivery node is stopped and started again, one after the other',
  needs: 'loopback',
  bars: { gapMs: 1000, duplicates: false },
  async run(scene) {
    for (const kind of ['nats', 'edge', 'delivery'] as const) {
      for (const node of scene.room.nodes(kind)) {
        scene.mark('hit', [node.name], `restart ${node.name}`)
        await restart(scene, node)
        scene.mark('heal', [node.name], 'ready')
        // The servers elect and catch up before the next one goes, as a StatefulSet's readiness would have it.
        if (kind === 'nats') await scene.sleep(6000)
      }
    }
  },
}

const upgrade: Fault = {
  name: 'rolling-upgrade-and-back',
  kind: 'change',
  what: 'edges and deliveries go back to the previous release one by one, and forward again, with mail waiting in the queue',
  needs: 'loopback',
  quick: true,
  // The first release told readers less.
  bars: { gapMs: 1000, duplicates: false, untold: true },
  async run(scene) {
    const previous = await previousRelease(scene.room.dir)
    // Deferred mail of both releases lies in the queue while the nodes change.
    scene.sites.behave(scene.pick(scene.sites.domains), { tempfailEvery: 2 })
    for (const [release, text] of [
      [previous, 'the previous release'],
      [undefined, 'this release'],
    ] as const) {
      for (const node of [...scene.room.nodes('delivery'), ...scene.room.nodes('edge')]) {
        scene.mark('hit', [node.name], `${node.name}: ${text}`)
        node.release = release
        await restart(scene, node)
        scene.mark('heal', [node.name], 'ready')
      }
    }
    scene.sites.heal()
  },
}

const SCALED = 5

const scale: Fault = {
  name: 'scale',
  kind: 'change',
  what: `edges and deliveries go from 2 to ${SCALED} to 1 and back to 2`,
  needs: 'loopback',
  bars: { gapMs: 1000, duplicates: false },
  async run(scene) {
    for (const kind of ['edge', 'delivery'] as const) {
      const before = scene.room.nodes(kind).length
      scene.mark('hit', [], `${kind}: ${before} -> ${SCALED}`)
      while (scene.room.nodes(kind).length < SCALED) await scene.room.add(kind)
      await scene.flowing(50)
      scene.mark('note', [], `${kind}: ${SCALED} -> 1`)
      while (scene.room.nodes(kind).length > 1) await scene.room.remove(scene.room.nodes(kind).at(-1) as RoomNode)
      await scene.flowing(50)
      scene.mark('note', [], `${kind}: 1 -> ${before}`)
      while (scene.room.nodes(kind).length < before) await scene.room.add(kind)
      scene.mark('heal', [], `${kind}: ${before}`)
    }
  },
}

export const changeFaults: readonly Fault[] = [rollingRestart, upgrade, scale]
