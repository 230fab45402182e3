// Pods that go, in good order and without notice.

import type { Pod } from '../objects.ts'
import { NATS_SERVERS, type Component, type Scene } from '../scene.ts'
import { GRACEFUL, SUDDEN, TAKEOVER_MS, type Bars, type Step } from '../step.ts'

/**
 * The API server forgets the pod at once; its node ends what runs in it a moment later, by SIGTERM and soon after by SIGKILL. So there is
 * no time for good order, but for a bit of it: what crashes says less (crashes.ts).
 */
const WITHOUT_NOTICE = ['--grace-period=0', '--force']
const DELETE_MS = 180_000
/** A moment for the API server to see that a pod is gone, before all is found well because nothing was noticed yet. */
const NOTICE_MS = 3000

async function remove(scene: Scene, pod: Pod | undefined, how: readonly string[] = []): Promise<void> {
  if (pod === undefined) throw new Error('there is no pod to delete')
  const { name } = pod.metadata
  await scene.kubectl.run(['delete', 'pod', name, ...how, '--wait=false'], { timeoutMs: DELETE_MS })
  scene.note(`deleted ${name} on ${pod.spec.nodeName ?? 'no node'}${how.length > 0 ? ' without notice' : ''}`)
  await scene.sleep(NOTICE_MS)
  await scene.allIsWell()
}

function one(component: Component, verb: 'delete' | 'kill', what: string, bars: Bars): Step {
  return {
    name: `${verb}-${component}`,
    what,
    bars,
    async run(scene) {
      const [pod] = await scene.pods(component)
      await remove(scene, pod, verb === 'kill' ? WITHOUT_NOTICE : [])
    },
  }
}

/** The servers see to it that no client waits, but some do: a stream that changes its leader takes nothing for a moment. */
const deleteNats: Step = {
  name: 'delete-nats',
  what: 'each NATS pod in turn, in good order; the next when all copies are current again',
  bars: GRACEFUL,
  async run(scene) {
    for (const pod of await scene.pods('nats')) await remove(scene, pod)
  },
}

const deleteLeader: Step = {
  name: 'kill-nats-leader',
  what: 'the NATS pod that leads most streams, without notice',
  bars: SUDDEN,
  async run(scene) {
    const [most] = await scene.leaders()
    if (most === undefined) throw new Error('no NATS server leads anything')
    const [server, streams] = most
    scene.note(`${server} leads ${streams} streams`)
    const pods = await scene.pods('nats')
    const pod = pods.find(({ metadata }) => metadata.name === server)
    await remove(scene, pod, WITHOUT_NOTICE)
  },
}

const restartNats: Step = {
  name: 'restart-nats',
  what: 'kubectl rollout restart: all NATS pods anew, one by one',
  bars: GRACEFUL,
  async run(scene) {
    await scene.kubectl.run(['rollout', 'restart', await scene.workload('nats')])
    await scene.sleep(NOTICE_MS)
    await scene.allIsWell()
  },
}

const loseVolume: Step = {
  name: 'lose-nats-volume',
  what: 'a NATS pod without notice, and its volume with it: it comes back empty and catches up',
  bars: SUDDEN,
  async run(scene) {
    const pod = (await scene.pods('nats')).at(-1)
    const claim = pod?.spec.volumes?.find(({ persistentVolumeClaim }) => persistentVolumeClaim !== undefined)
    const name = claim?.persistentVolumeClaim?.claimName
    if (pod === undefined || name === undefined) throw new Error('no NATS pod has a volume to lose')
    const before = await volumeOf(scene, name)
    await scene.kubectl.run(['delete', 'persistentvolumeclaim', name, '--wait=false'])
    await scene.kubectl.run(['delete', 'pod', pod.metadata.name, ...WITHOUT_NOTICE, '--wait=false'])
    scene.note(`deleted ${name} (${before}) and ${pod.metadata.name}`)
    await scene.sleep(NOTICE_MS)
    await scene.until('the server has a new volume', () => newVolume(scene, pod.metadata.name, name, before))
    await scene.allIsWell()
    scene.note(`all streams have ${NATS_SERVERS} current copies again`)
  },
}

/** A pod that was made while the old claim was still there waits for it in vain: it has to be made once more. */
async function newVolume(scene: Scene, pod: string, claim: string, before: string): Promise<string[] | undefined> {
  const now = await volumeOf(scene, claim)
  if (now !== '' && now !== before) return undefined
  if (now === before) return [`claim ${claim}: is still the old one`]
  const pods = await scene.pods('nats')
  const waits = pods.find(({ metadata, status }) => metadata.name === pod && status?.phase === 'Pending')
  const exists = await scene.kubectl.attempt(['get', 'persistentvolumeclaim', claim])
  if (waits !== undefined && exists.status !== 0) {
    await scene.kubectl.run(['delete', 'pod', pod, '--wait=false'])
    scene.note(`${pod} was made before its old claim had gone: deleted once more`)
  }
  return [`claim ${claim}: has no volume yet`]
}

/** Name of the volume of a claim; '' when it has none. */
async function volumeOf(scene: Scene, claim: string): Promise<string> {
  const args = ['get', 'persistentvolumeclaim', claim, '--ignore-not-found', '--output=jsonpath={.spec.volumeName}']
  return (await scene.kubectl.run(args)).trim()
}

export const podSteps: readonly Step[] = [
  one('edge', 'delete', 'an edge pod, in good order', GRACEFUL),
  one('edge', 'kill', 'an edge pod, without notice', SUDDEN),
  one('delivery', 'delete', 'a delivery pod, in good order: it hands its partitions over', GRACEFUL),
  one(
    'delivery',
    'kill',
    'a delivery pod, without notice: what it cannot release in a moment the others take over when its lease has run out',
    {
      ...SUDDEN,
      duplicates: true,
      deliveryMs: TAKEOVER_MS,
    },
  ),
  deleteNats,
  deleteLeader,
  restartNats,
  loseVolume,
]
