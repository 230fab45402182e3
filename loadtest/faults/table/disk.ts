// Disks of NATS servers that are lost, full or slow.

import { bringUp } from '../bring-up.ts'
import type { Fault, Scene } from '../fault.ts'
import type { Disk, RoomNode } from '../room.ts'
import { DOWN_MS } from './process.ts'

/** Enough for the streams' limits, small enough to be filled in a moment. */
export const DISK_MIB = 2048
const SLOW_MS = 100

function diskOf(node: RoomNode): Disk {
  if (node.disk === undefined) throw new Error(`${node.name} has no disk`)
  return node.disk
}

const lost: Fault = {
  name: 'lose-disk',
  kind: 'disk',
  what: 'one NATS server dies with its disk and comes back empty',
  needs: 'loopback',
  quick: true,
  bars: { gapMs: 1000, duplicates: false },
  async run(scene) {
    const node = scene.pick(scene.room.nodes('nats'))
    scene.mark('hit', [node.name], `${node.name} loses its disk`)
    await node.kill()
    await diskOf(node).wipe()
    await scene.sleep(5000)
    await bringUp([node])
    await scene.hold(DOWN_MS)
    scene.mark('heal', [node.name], 'came back empty')
  },
}

async function fillAndFree(scene: Scene, nodes: readonly RoomNode[]): Promise<void> {
  const names = nodes.map(({ name }) => name)
  scene.mark('hit', names, `the disk of ${names.join(' ')} is full`)
  await Promise.all(nodes.map((node) => diskOf(node).fill()))
  await scene.hold(DOWN_MS)
  await Promise.all(nodes.map((node) => diskOf(node).free()))
  // A server whose disk was full has shut JetStream down for good: whoever runs it starts it again.
  scene.mark('note', names, 'room again; restarted')
  for (const node of nodes) {
    await node.stop()
    await node.start()
  }
  await Promise.all(nodes.map((node) => node.ready()))
  scene.mark('heal', names, 'has room')
}

const fullOne: Fault = {
  name: 'fill-disk',
  kind: 'disk',
  what: 'the disk of one NATS server is full to the last byte; freed and restarted later',
  needs: 'namespaces',
  room: { diskMiB: DISK_MIB },
  bars: { gapMs: 1000, duplicates: false },
  run: (scene) => fillAndFree(scene, [scene.pick(scene.room.nodes('nats'))]),
}

const fullAll: Fault = {
  name: 'fill-all-disks',
  kind: 'disk',
  what: 'the disks of all NATS servers are full to the last byte; freed and restarted later',
  needs: 'namespaces',
  room: { diskMiB: DISK_MIB },
  bars: { gapMs: null, duplicates: true, why: 'nothing can be stored anywhere' },
  run: (scene) => fillAndFree(scene, scene.room.nodes('nats')),
}

async function slowDown(scene: Scene, nodes: readonly RoomNode[]): Promise<void> {
  const names = nodes.map(({ name }) => name)
  scene.mark('hit', names, `each write of ${names.join(' ')} takes ${SLOW_MS} ms longer`)
  await Promise.all(nodes.map((node) => diskOf(node).slow(SLOW_MS)))
  await scene.hold(DOWN_MS)
  await Promise.all(nodes.map((node) => diskOf(node).slow(0)))
  scene.mark('heal', names, 'as fast as before')
}

const slowOne: Fault = {
  name: 'slow-disk',
  kind: 'disk',
  what: `each write of one NATS server takes ${SLOW_MS} ms longer`,
  needs: 'namespaces',
  bars: { gapMs: 1000, duplicates: false },
  run: (scene) => slowDown(scene, [scene.pick(scene.room.nodes('nats'))]),
}

const slowAll: Fault = {
  name: 'slow-all-disks',
  kind: 'disk',
  what: `each write of all NATS servers takes ${SLOW_MS} ms longer`,
  needs: 'namespaces',
  bars: { gapMs: null, duplicates: true, why: 'three faults at once: measured, not promised' },
  run: (scene) => slowDown(scene, scene.room.nodes('nats')),
}

export const diskFaults: readonly Fault[] = [lost, fullOne, fullAll, slowOne, slowAll]
