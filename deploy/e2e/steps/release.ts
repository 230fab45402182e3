// Changes of the release with mail flowing and mail waiting: upgrade, rollback, more partitions.

import type { Scene } from '../scene.ts'
import { GRACEFUL, type Step } from '../step.ts'
import { imageText } from '../image.ts'
import { HELD, HELD_USER } from '../values.ts'
import { startLoad, valuesFile } from './set-up.ts'

/** Messages that wait in the queue while it is upgraded and rolled back. */
const HELD_MESSAGES = 60
const HELD_RATE = 10
const MORE_PARTITIONS = 8

const hold: Step = {
  name: 'fill-queue',
  what: 'mail for a host that is down comes in: it waits in the queue',
  bars: GRACEFUL,
  async run(scene) {
    const held = await startLoad(scene, {
      name: HELD.pod,
      toDomain: HELD.domain,
      secret: HELD.secret,
      user: HELD_USER,
      rate: HELD_RATE,
      open: false,
      deferEvery: 0,
      sessions: 4,
      largestKib: 1024,
    })
    scene.held = held
    await scene.until('the queue is filled', async () => {
      const { phase } = await held.status()
      const accepted = phase?.accepted ?? 0
      return accepted >= HELD_MESSAGES ? undefined : [`${accepted} of ${HELD_MESSAGES} messages accepted`]
    })
    await held.rate(0)
    await stillWaiting(scene)
    await scene.allIsWell()
  },
}

/** What the held load knows of, and what the queue itself says. */
async function stillWaiting(scene: Scene): Promise<number> {
  const { held } = scene
  if (held === undefined) throw new Error('no mail waits in the queue')
  const { open, phase } = await held.status()
  const arrived = phase?.deliveries ?? 0
  if (arrived > 0) throw new Error(`${arrived} recipients of a host that is down have got mail`)
  const program = ['posthouse', 'queue', 'count', '--json']
  const pod = await scene.workload('delivery')
  const { count } = JSON.parse(await scene.kubectl.exec(pod, 'delivery', program)) as { count: number }
  scene.note(`${open.recipients} recipients wait for the host that is down; the queue counts ${count} in all`)
  if (count < open.recipients)
    throw new Error(`the queue counts ${count} recipients, and at least ${open.recipients} must be there`)
  return open.recipients
}

async function keepingTheQueue(scene: Scene, change: () => Promise<unknown>): Promise<void> {
  const before = await stillWaiting(scene)
  await change()
  await scene.allIsWell()
  const after = await stillWaiting(scene)
  if (after !== before) throw new Error(`${before} recipients waited before, ${after} wait now`)
}

const upgrade: Step = {
  name: 'upgrade',
  what: 'helm upgrade with a filled queue: another image, other settings, every pod anew',
  bars: GRACEFUL,
  after: 'fill-queue',
  async run(scene) {
    const changes = { ...scene.changes, image: scene.options.image, upgraded: true }
    await keepingTheQueue(scene, () => scene.helm.upgrade(scene.values(changes, valuesFile(scene))))
    scene.changes = changes
    scene.note(`${imageText(scene.options.previousImage)} → ${imageText(scene.options.image)}`)
  },
}

const rollback: Step = {
  name: 'rollback',
  what: 'helm rollback with a filled queue',
  bars: GRACEFUL,
  after: 'upgrade',
  async run(scene) {
    await keepingTheQueue(scene, () => scene.helm.rollback())
    scene.changes = { ...scene.changes, image: scene.options.previousImage, upgraded: false }
  },
}

const grow: Step = {
  name: 'grow-partitions',
  what: 'helm upgrade with queue.partitions 6 → 8',
  bars: GRACEFUL,
  async run(scene) {
    const changes = { ...scene.changes, partitions: MORE_PARTITIONS }
    await scene.helm.upgrade(scene.values(changes, valuesFile(scene)))
    scene.changes = changes
    await scene.allIsWell()
  },
}

export const releaseSteps: readonly Step[] = [hold, upgrade, rollback, grow]
