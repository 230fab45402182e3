import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadPod, OPEN, sinkAddress, sinkService, type LoadPodOptions } from './load-pod.ts'

const OPTIONS: LoadPodOptions = {
  name: 'load',
  image: 'posthouse-loadtest:1',
  node: 'n1',
  edge: '10.0.0.1',
  user: 'load',
  secret: 'load-user',
  fromDomain: 'e2e.example',
  toDomain: 'load.example',
  rate: 30,
  open: true,
  deferEvery: 50,
  sessions: 30,
  largestKib: 4096,
}

interface PodObject {
  readonly metadata: { readonly labels: Readonly<Record<string, string>> }
  readonly spec: {
    readonly nodeSelector?: object
    readonly automountServiceAccountToken: boolean
    readonly securityContext: { readonly runAsNonRoot: boolean; readonly seccompProfile: { readonly type: string } }
    readonly containers: readonly {
      readonly args: readonly string[]
      readonly securityContext: {
        readonly allowPrivilegeEscalation: boolean
        readonly runAsNonRoot: boolean
        readonly capabilities: { readonly drop: readonly string[] }
      }
    }[]
  }
}

const podOf = (options: Partial<LoadPodOptions> = {}) => loadPod({ ...OPTIONS, ...options }) as PodObject

test('the pod is as the restricted Pod Security Standard wants it', () => {
  const { spec } = podOf()
  assert.equal(spec.automountServiceAccountToken, false)
  assert.equal(spec.securityContext.runAsNonRoot, true)
  assert.equal(spec.securityContext.seccompProfile.type, 'RuntimeDefault')
  assert.ok(spec.containers.length > 0)
  for (const { securityContext } of spec.containers) {
    assert.equal(securityContext.allowPrivilegeEscalation, false)
    assert.equal(securityContext.runAsNonRoot, true)
    assert.deepEqual(securityContext.capabilities.drop, ['ALL'])
  }
})

test('the Service leads to a pod that is open, and to no other', () => {
  const { spec } = sinkService('load') as { spec: { selector: Readonly<Record<string, string>> } }
  const selects = ({ metadata }: PodObject) =>
    Object.entries(spec.selector).every(([label, value]) => metadata.labels[label] === value)
  assert.equal(selects(podOf()), true)
  const closed = podOf({ open: false })
  assert.equal(selects(closed), false)
  assert.equal(
    selects({ ...closed, metadata: { labels: { ...closed.metadata.labels, [OPEN.label]: OPEN.value } } }),
    true,
  )
  assert.equal(selects(podOf({ name: 'held' })), false)
})

test('it stays on the node that no step breaks, where there is one', () => {
  assert.deepEqual(podOf().spec.nodeSelector, { 'kubernetes.io/hostname': 'n1' })
  assert.equal(podOf({ node: undefined }).spec.nodeSelector, undefined)
})

test('its program is told where mail goes in, and to whom', () => {
  const args = podOf().spec.containers[0]?.args ?? []
  for (const wanted of ['--edge=10.0.0.1:587', '--submissions=10.0.0.1:465', '--to-domain=load.example', '--rate=30']) {
    assert.ok(args.includes(wanted), wanted)
  }
})

test('the delivery nodes find the sink by the full name of its Service', () => {
  assert.equal(sinkAddress('load', 'mail', 'cluster.local'), 'load.mail.svc.cluster.local:2525')
})
