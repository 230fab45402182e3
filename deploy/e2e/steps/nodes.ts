// Nodes that go, with all that runs on them: an edge, a delivery node and one of three NATS servers at once.

import { isTrue, type Node } from '../objects.ts'
import type { Scene } from '../scene.ts'
import { GRACEFUL, type Bars, type Step } from '../step.ts'

/** How long it stays away once Kubernetes knows. */
const HOLD_MS = 15_000
/** A pod that is deleted comes back where fewer are, as a rule. */
const SPREAD_TRIES = 3

/** A node that is gone without a word stays among the addresses of the Service until Kubernetes has noticed, after 40 to 50 s. */
const NODE_BARS: Bars = {
  gapMs: null,
  unnoticed: false,
  duplicates: true,
  why: 'until Kubernetes notices (about 50 s) the Service goes on sending connections to the node that is gone',
}

/**
 * A NATS server without the others stands for election again and again, and counts up the terms of all its streams with each try; the
 * servers ask nobody beforehand whether they would be elected. When it is back, its higher terms make all leaders step down at once,
 * and the next are elected after 4 to 9 s, a time that cannot be set.
 */
const CUT_BARS: Bars = {
  ...NODE_BARS,
  why: `${NODE_BARS.why}; and when the NATS server that was cut off is back every stream elects its leader anew, which takes 4 to 9 s`,
}

function victim(scene: Scene): string {
  const { victim: node } = scene.setting.places
  if (node === undefined) throw new Error('there is no node to spare')
  return node
}

function cannot(scene: Scene): string | undefined {
  return scene.setting.places.victim === undefined ? 'there is no second node that has no API server' : undefined
}

function cannotBreak(scene: Scene): string | undefined {
  return scene.breaker.canBreak ? cannot(scene) : 'needs --node-command'
}

/** Throws when the node holds more than one server: then its loss would be the loss of the majority. */
async function holdsOneServer(scene: Scene, node: string): Promise<void> {
  const there = (await scene.pods('nats')).filter(({ spec }) => spec.nodeName === node)
  if (there.length !== 1) throw new Error(`${node} holds ${there.length} NATS servers; one is wanted for this step`)
  scene.note(`${node} holds ${(await podsOn(scene, node)).join(', ')}`)
}

async function podsOn(scene: Scene, node: string): Promise<string[]> {
  return (await scene.pods()).flatMap(({ metadata, spec }) => (spec.nodeName === node ? [metadata.name] : []))
}

async function untilNodeIs(scene: Scene, node: string, wanted: boolean): Promise<void> {
  await scene.until(`node ${node} is ${wanted ? 'ready' : 'not ready'}`, async () => {
    const { status } = await scene.kubectl.json<Node>(['get', 'node', node])
    return isTrue(status?.conditions, 'Ready') === wanted
      ? undefined
      : [`node ${node}: ${wanted ? 'not ready' : 'ready'}`]
  })
}

const drain: Step = {
  name: 'drain-node',
  what: 'kubectl drain of a node, as its disruption budgets allow, and uncordon',
  bars: GRACEFUL,
  cannot: (scene) => (scene.breaker.canDrain ? cannot(scene) : 'needs --allow-drain'),
  async run(scene) {
    const node = victim(scene)
    scene.note(`${node} holds ${(await podsOn(scene, node)).join(', ')}`)
    const uncordon = await scene.breaker.drain(node, scene.options.timeoutMs)
    scene.note('drained')
    await scene.sleep(HOLD_MS)
    await uncordon()
    scene.note('uncordoned')
    await scene.allIsWell()
  },
}

/** So that losing the node is losing an edge with its sessions and a delivery node with its partitions, whatever steps before it did. */
async function spread(scene: Scene): Promise<void> {
  const node = victim(scene)
  for (const component of ['edge', 'delivery'] as const) {
    for (let left = SPREAD_TRIES; ; left--) {
      const pods = await scene.pods(component)
      const there = pods.filter(({ spec }) => spec.nodeName === node)
      if (there.length > 0 && there.length < pods.length) break
      const [pod] = pods
      if (left === 0 || pod === undefined) {
        throw new Error(
          `${component}: ${there.length} of ${pods.length} pods run on ${node}; some, but not all, should`,
        )
      }
      await scene.kubectl.run(['delete', 'pod', pod.metadata.name, '--wait=false'])
      scene.note(`${pod.metadata.name} deleted beforehand, so that ${component} runs on both sides`)
      await scene.allIsWell()
    }
  }
}

function broken(name: string, how: 'cut' | 'kill', what: string, bars: Bars): Step {
  return {
    name,
    what,
    bars,
    cannot: cannotBreak,
    prepare: spread,
    async run(scene) {
      const node = victim(scene)
      await holdsOneServer(scene, node)
      const began = performance.now()
      const giveBack = await scene.breaker.take(node, how)
      await untilNodeIs(scene, node, false)
      scene.note(`Kubernetes noticed after ${Math.round((performance.now() - began) / 1000)} s`)
      await scene.sleep(HOLD_MS)
      await giveBack()
      scene.note('given back')
      await untilNodeIs(scene, node, true)
      await scene.allIsWell()
    },
  }
}

export const nodeSteps: readonly Step[] = [
  drain,
  broken(
    'cut-node',
    'cut',
    'the node with one of the NATS servers is cut off from all others, and plugged in again',
    CUT_BARS,
  ),
  broken('kill-node', 'kill', 'that node dies, and is started again', NODE_BARS),
]
