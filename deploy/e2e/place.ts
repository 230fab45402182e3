// Which node is broken, and which one carries what must not break: the pods that send the load and keep the ledger. Pure.

import { isTrue, type Endpoints, type Node } from './objects.ts'

export interface Places {
  /** Node that steps may cut off, kill or drain; undefined: there is none to spare. */
  readonly victim: string | undefined
  /** Node for the load; undefined: any. */
  readonly safe: string | undefined
  readonly nodes: readonly string[]
}

/**
 * `wanted`: the victim that the user names. Without, the last node by name that neither is a control plane nor has an API server:
 * a cluster that cannot be asked shows nothing. Throws a RangeError for a node that cannot be the victim.
 */
export function places(nodes: readonly Node[], apiServers: Endpoints | undefined, wanted?: string): Places {
  const usable = nodes.filter(({ spec, status }) => spec.unschedulable !== true && isTrue(status?.conditions, 'Ready'))
  const names = usable.map(({ metadata }) => metadata.name).toSorted()
  if (wanted !== undefined && !names.includes(wanted)) {
    throw new RangeError(`no node ${wanted} is ready and takes pods; there are: ${names.join(', ')}`)
  }
  const api = new Set((apiServers?.subsets ?? []).flatMap(({ addresses }) => (addresses ?? []).map(({ ip }) => ip)))
  const spare = usable.filter((node) => !isControlPlane(node, api)).map(({ metadata }) => metadata.name)
  if (wanted !== undefined && !spare.includes(wanted)) {
    throw new RangeError(`node ${wanted} has the API server: without it nothing could be seen or put back`)
  }
  const victim = names.length < 2 ? undefined : (wanted ?? spare.toSorted().at(-1))
  return { victim, safe: names.find((name) => name !== victim), nodes: names }
}

function isControlPlane({ metadata, status }: Node, api: ReadonlySet<string>): boolean {
  const labels = Object.keys(metadata.labels ?? {})
  if (labels.includes('node-role.kubernetes.io/control-plane')) return true
  return (status?.addresses ?? []).some(({ address }) => api.has(address))
}
