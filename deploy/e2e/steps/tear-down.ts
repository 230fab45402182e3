// The end of a run: the load is stopped and everything accepted is waited for; then the release goes.

import type { Pod } from '../objects.ts'
import { selectorOf } from '../scene.ts'
import type { Step } from '../step.ts'

const DRAIN_SECONDS = 180

export const drain: Step = {
  name: 'drain',
  what: 'sending ends, the host that was down comes back, and everything accepted is waited for',
  always: true,
  async run(scene) {
    const { load, held } = scene
    await held?.open()
    for (const one of [load, held]) {
      if (one === undefined) continue
      const { complete, open } = await one.drain(DRAIN_SECONDS)
      if (!complete)
        throw new Error(`${open.recipients} recipients of ${one.name} have not got their mail after ${DRAIN_SECONDS} s`)
    }
    scene.note('everything that was accepted has arrived')
  },
}

export const uninstall: Step = {
  name: 'uninstall',
  what: 'helm uninstall: nothing of the release is left',
  always: true,
  cannot: (scene) => (scene.options.keep ? '--keep' : undefined),
  async run(scene) {
    await scene.helm.uninstall()
    await scene.until('the release is gone', async () => {
      const left = await scene.kubectl.list<Pod>(
        'all,configmaps,secrets,pdb,networkpolicies,serviceaccounts',
        selectorOf(),
      )
      return left.length === 0 ? undefined : left.map(({ metadata }) => `${metadata.name} is still there`)
    })
  },
}
