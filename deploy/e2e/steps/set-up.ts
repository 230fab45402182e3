// The begin of a run: the release on an empty namespace, its own test, and the load that all other steps run under.

import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { imageText } from '../image.ts'
import { Load } from '../load.ts'
import { loadPod, sinkService, userSecret, type LoadPodOptions } from '../load-pod.ts'
import type { Scene } from '../scene.ts'
import type { Step } from '../step.ts'
import { HELD, LOAD, RELEASE, SENDER_DOMAIN, USER } from '../values.ts'

/** So many messages accepted are mail that flows. */
const FLOWING = 100
const START_MS = 120_000
const CALM_MS = 10_000

export function valuesFile(scene: Scene): string {
  return join(scene.options.data, 'values.json')
}

export const install: Step = {
  name: 'install',
  what: 'helm install --wait into an empty namespace that enforces the restricted Pod Security Standard',
  always: true,
  async run(scene) {
    const secrets = [LOAD.secret, HELD.secret].map((name) => userSecret(name, randomBytes(18).toString('base64url')))
    await scene.kubectl.apply(...secrets, sinkService(LOAD.pod), sinkService(HELD.pod))
    await mkdir(scene.options.data, { recursive: true })
    await writeFile(valuesFile(scene), JSON.stringify(scene.defaults))
    await scene.helm.install(scene.values(scene.changes, valuesFile(scene)))
    await scene.allIsWell()
    const servers = await scene.pods('nats')
    scene.note((await versions(scene)).join(', '))
    scene.note(
      `NATS servers: ${servers.map(({ metadata, spec }) => `${metadata.name} on ${spec.nodeName}`).join(', ')}`,
    )
  },
}

export const helmTest: Step = {
  name: 'helm-test',
  what: 'helm test: a message goes in by submission and comes out',
  run: async (scene) => {
    await scene.helm.test()
  },
}

export const load: Step = {
  name: 'load',
  what: 'a pod begins to send: some clients keep their sessions, some connect for each message; a quarter by implicit TLS',
  always: true,
  async run(scene) {
    const { rate } = scene.options
    const started = await startLoad(scene, {
      name: LOAD.pod,
      toDomain: LOAD.domain,
      secret: LOAD.secret,
      user: USER,
      rate,
    })
    await scene.until('mail flows', async () => {
      const { phase } = await started.status()
      const accepted = phase?.accepted ?? 0
      return accepted >= FLOWING && (phase?.deliveries ?? 0) > 0 ? undefined : [`${accepted} messages accepted`]
    })
    scene.load = started
    await started.phase('begun')
  },
}

/** With nothing done, what the machines give: what the other steps are to be compared with. */
export const calm: Step = {
  name: 'calm',
  what: 'nothing is done for a while: what the machines give',
  bars: { gapMs: 1000, unnoticed: true, duplicates: false },
  async run(scene) {
    await scene.sleep(CALM_MS)
    for (const pod of await scene.pods('edge')) {
      const load = await scene.kubectl.exec(pod.metadata.name, 'edge', ['cat', '/proc/loadavg'])
      scene.note(
        `load average of ${pod.spec.nodeName}, over 1, 5 and 15 minutes: ${load.split(' ').slice(0, 3).join(', ')}`,
      )
    }
  },
}

/** As the programs in the images themselves tell them. */
async function versions(scene: Scene): Promise<string[]> {
  const told = async (component: 'edge' | 'nats', program: readonly string[]) => {
    const pod = await scene.workload(component)
    return (await scene.kubectl.exec(pod, component, program)).trim().replace(/^nats-server: /, '')
  }
  return [
    `NATS ${await told('nats', ['nats-server', '--version'])}`,
    `Node ${await told('edge', ['node', '--version'])}`,
  ]
}

type Asked = Pick<LoadPodOptions, 'name' | 'toDomain' | 'secret' | 'user' | 'rate'> & Partial<LoadPodOptions>

export async function startLoad(scene: Scene, asked: Asked): Promise<Load> {
  const { kubectl, options, setting } = scene
  const service = await kubectl.json<{ spec: { clusterIP: string } }>(['get', 'service', RELEASE])
  const pod = loadPod({
    image: imageText(options.loadImage),
    node: setting.places.safe,
    // Its address, as clients outside have that of the load balancer: the cluster's DNS is not what is tried here.
    edge: service.spec.clusterIP.includes(':') ? `[${service.spec.clusterIP}]` : service.spec.clusterIP,
    fromDomain: SENDER_DOMAIN,
    open: true,
    deferEvery: 50,
    sessions: 30,
    largestKib: 4096,
    ...asked,
  })
  await kubectl.apply(pod)
  await kubectl.waitFor(`pod/${asked.name}`, 'condition=Ready', START_MS)
  return new Load(kubectl, asked.name)
}
