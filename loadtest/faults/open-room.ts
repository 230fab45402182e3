// Opens a machine room: of namespaces in an enclosure, else on loopback.

import { isEnclosed } from './enclosure.ts'
import type { Room, RoomOptions } from './room.ts'
import { ClusterRoom } from './room/cluster-room.ts'
import { LoopbackGround } from './room/loopback-ground.ts'
import { NamespaceGround } from './room/namespace-ground.ts'

export async function openRoom(options: RoomOptions): Promise<Room> {
  if (isEnclosed()) return ClusterRoom.make(options, await NamespaceGround.make())
  for (const wish of ['diskMiB', 'delayable', 'clocks'] as const) {
    if (options[wish] !== undefined && options[wish] !== false) throw new Error(`${wish} needs namespaces`)
  }
  return ClusterRoom.make(options, await LoopbackGround.make())
}
