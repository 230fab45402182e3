// Starts nodes that are down, all at once, and waits until every one of them is ready.

import type { RoomNode } from './room.ts'

export async function bringUp(nodes: readonly RoomNode[], withinMs?: number): Promise<void> {
  await Promise.all(nodes.map((node) => node.start()))
  await Promise.all(nodes.map((node) => node.ready(withinMs)))
}
