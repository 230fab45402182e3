// Services that crash: the process ends itself at once, and its container is started again in the same pod.

import { crashOf } from '../crash.ts'
import type { ContainerStatus, Pod } from '../objects.ts'
import type { Component, Scene } from '../scene.ts'
import { SUDDEN, TAKEOVER_MS, type Bars, type Step } from '../step.ts'

const CRASH_MS = 60_000

/** Throws when the process did not end as it was made to. */
async function crash(scene: Scene, component: Component, pod: Pod | undefined): Promise<void> {
  if (pod === undefined) throw new Error(`there is no ${component} pod to crash`)
  const { name } = pod.metadata
  const { command, status } = crashOf(component)
  const before = containerOf(pod, component)?.restartCount ?? 0
  const args = ['exec', name, `--container=${component}`, '--', ...command]
  // What it ends with says nothing: the container's end is its own.
  const told = await scene.kubectl.attempt(args, { timeoutMs: CRASH_MS })
  const words = told.stderr.trim()
  let container: ContainerStatus | undefined
  await scene.until(`${name} has crashed`, async () => {
    const now = (await scene.pods(component)).find(({ metadata }) => metadata.name === name)
    container = now === undefined ? undefined : containerOf(now, component)
    if (now === undefined) throw new Error(`${name} is gone, and should only have been started again`)
    if ((container?.restartCount ?? 0) > before) return undefined
    return [`${name} has not been started again${words === '' ? '' : ` (${words})`}`]
  })
  const ended = container?.lastState?.terminated
  if (ended?.exitCode !== status) {
    throw new Error(`${name} ended with exit status ${ended?.exitCode ?? 'unknown'}, a crash would be ${status}`)
  }
  scene.note(`${name} on ${pod.spec.nodeName ?? 'no node'} crashed (exit status ${status}), and was started again`)
  await scene.allIsWell()
}

function containerOf({ status }: Pod, component: Component): ContainerStatus | undefined {
  return status?.containerStatuses?.find(({ name }) => name === component)
}

function crashing(
  component: Component,
  what: string,
  bars: Bars,
  choose: (scene: Scene) => Promise<Pod | undefined>,
): Step {
  return {
    name: `crash-${component}`,
    what,
    bars,
    run: async (scene) => crash(scene, component, await choose(scene)),
  }
}

const first = (component: Component) => async (scene: Scene) => (await scene.pods(component))[0]

/** The server whose loss is felt most. */
async function leader(scene: Scene): Promise<Pod | undefined> {
  const [most] = await scene.leaders()
  if (most === undefined) throw new Error('no NATS server leads anything')
  const [server, streams] = most
  scene.note(`${server} leads ${streams} streams`)
  return (await scene.pods('nats')).find(({ metadata }) => metadata.name === server)
}

export const crashSteps: readonly Step[] = [
  crashing('edge', 'an edge ends itself at once, as in a crash', SUDDEN, first('edge')),
  crashing(
    'delivery',
    'a delivery node ends itself at once: nothing is released, so the others wait for its leases to run out',
    { ...SUDDEN, duplicates: true, deliveryMs: TAKEOVER_MS },
    first('delivery'),
  ),
  crashing('nats', 'the NATS server that leads most streams ends itself at once', SUDDEN, leader),
]
