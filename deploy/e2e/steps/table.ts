// All steps, in their order.

import type { Step } from '../step.ts'
import { crashSteps } from './crashes.ts'
import { nodeSteps } from './nodes.ts'
import { podSteps } from './pods.ts'
import { releaseSteps } from './release.ts'
import { scaleSteps } from './scale.ts'
import { calm, helmTest, install, load } from './set-up.ts'
import { drain, uninstall } from './tear-down.ts'

export const STEPS: readonly Step[] = [
  install,
  helmTest,
  load,
  calm,
  ...scaleSteps,
  ...podSteps,
  ...crashSteps,
  ...nodeSteps,
  ...releaseSteps,
  drain,
  uninstall,
]

/** Those that are asked for (none named: all), those that always run, and those that others come after. */
export function chosen(steps: readonly Step[], only: readonly string[]): readonly Step[] {
  if (only.length === 0) return steps
  const wanted = new Set(only)
  for (const step of steps.toReversed()) {
    if (step.always === true) wanted.add(step.name)
    if (wanted.has(step.name) && step.after !== undefined) wanted.add(step.after)
  }
  return steps.filter(({ name }) => wanted.has(name))
}
