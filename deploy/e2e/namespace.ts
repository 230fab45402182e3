// The namespace of a run: made by it, marked as its own, and removed with all that is in it. One that somebody else made is
// never touched.

import { CommandFailed } from './command.ts'
import type { Kubectl } from './kubectl.ts'
import type { Meta } from './objects.ts'

/** Says that everything in the namespace is this program's. */
const OWNER = { label: 'app.kubernetes.io/managed-by', value: 'posthouse-e2e' }
const POD_SECURITY = 'pod-security.kubernetes.io'

export type Claim = 'free' | 'left over' | 'foreign'

/** `namespace`: as the API server has it; undefined: it has none. */
export function claimOn(namespace: { readonly metadata: Meta } | undefined): Claim {
  if (namespace === undefined) return 'free'
  return namespace.metadata.labels?.[OWNER.label] === OWNER.value ? 'left over' : 'foreign'
}

export function namespaceObject(name: string): object {
  const labels = {
    [OWNER.label]: OWNER.value,
    [`${POD_SECURITY}/enforce`]: 'restricted',
    [`${POD_SECURITY}/warn`]: 'restricted',
  }
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } }
}

export async function claim(kubectl: Kubectl): Promise<Claim> {
  const { namespace } = kubectl
  const found = await kubectl.attempt(['get', 'namespace', namespace, '--ignore-not-found', '--output=json'])
  if (found.status !== 0) throw new CommandFailed(`the cluster does not answer: ${found.stderr.trim()}`, found)
  return claimOn(found.stdout.trim() === '' ? undefined : (JSON.parse(found.stdout) as { metadata: Meta }))
}

/** Throws when it is there already. */
export async function createNamespace(kubectl: Kubectl): Promise<void> {
  await kubectl.run(['create', '--filename=-'], { input: JSON.stringify(namespaceObject(kubectl.namespace)) })
}

/** With all that is in it. Pods end as they would otherwise, but for those that take longer than half of the time. */
export async function removeNamespace(kubectl: Kubectl, timeoutMs: number): Promise<void> {
  const { namespace } = kubectl
  if ((await claim(kubectl)) !== 'left over') return
  await kubectl.run(['delete', 'namespace', namespace, '--wait=false'])
  const waited = await waitForEnd(kubectl, timeoutMs / 2)
  if (waited) return
  // Nothing is waited for that nobody needs any more.
  await kubectl.attempt(['delete', 'pods', '--all', '--grace-period=0', '--force', '--wait=false'])
  if (await waitForEnd(kubectl, timeoutMs / 2)) return
  throw new CommandFailed(`namespace ${namespace} is still there: kubectl delete namespace ${namespace}`)
}

async function waitForEnd(kubectl: Kubectl, timeoutMs: number): Promise<boolean> {
  const limit = `--timeout=${Math.ceil(timeoutMs / 1000)}s`
  const args = ['wait', `namespace/${kubectl.namespace}`, '--for=delete', limit]
  return (await kubectl.attempt(args, { timeoutMs: timeoutMs + 10_000 })).status === 0
}
