// Nodes whose wall clock jumps. The servers' clocks are not touched: a static program cannot be lied to, and no promise of
// the queue rests on them but ages.

import type { Fault } from '../fault.ts'
import { DOWN_MS } from './process.ts'

const DAY_MS = 24 * 3600_000
/** Longer than a message lives (5 days): a node that believed its own clock would send everything back. */
const JUMPS = { ahead: 10 * DAY_MS, back: -10 * DAY_MS }

function jump(kind: 'edge' | 'delivery', direction: 'ahead' | 'back'): Fault {
  return {
    name: `clock-${direction}-${kind}`,
    kind: 'clock',
    what: `the wall clock of one ${kind === 'edge' ? 'edge' : 'delivery node'} jumps ${direction === 'ahead' ? '10 days ahead' : '10 days back'}`,
    needs: 'namespaces',
    quick: kind === 'delivery' && direction === 'ahead',
    room: { clocks: true },
    // A delivery node counts its lease by the clock that ran further, so a jump ahead ends it: its dots pause, no copy is due.
    bars: { gapMs: 1000, duplicates: kind === 'delivery' },
    async run(scene) {
      const node = scene.pick(scene.room.nodes(kind))
      scene.mark('hit', [node.name], `clock of ${node.name} 10 days ${direction}`)
      await node.jumpClock(JUMPS[direction])
      await scene.hold(DOWN_MS)
      await node.jumpClock(0)
      scene.mark('heal', [node.name], 'right again')
    },
  }
}

export const clockFaults: readonly Fault[] = (['edge', 'delivery'] as const).flatMap((kind) => [
  jump(kind, 'ahead'),
  jump(kind, 'back'),
])
