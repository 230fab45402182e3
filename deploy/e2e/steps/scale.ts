// More pods and fewer again, by kubectl as in an emergency.

import type { Component } from '../scene.ts'
import { GRACEFUL, type Step } from '../step.ts'

const FEW = 2
const MANY = 5
/** Mail for the new pods. */
const HOLD_MS = 10_000

function scaled(component: Component, what: string): Step {
  return {
    name: `scale-${component === 'edge' ? 'edges' : 'deliveries'}`,
    what,
    bars: GRACEFUL,
    async run(scene) {
      await scene.scale(component, MANY)
      scene.note(`${MANY} ready`)
      await scene.sleep(HOLD_MS)
      await scene.scale(component, FEW)
      scene.note(`${FEW} left`)
    },
  }
}

export const scaleSteps: readonly Step[] = [
  scaled('edge', 'edges 2 → 5 → 2; clients hear 421 between messages'),
  scaled('delivery', 'delivery nodes 2 → 5 → 2; each that goes hands its partitions over'),
]
