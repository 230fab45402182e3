// Who may connect to whom, by the NetworkPolicies of a rendering, as the API describes them: a pod that no policy selects is
// open; of one that is selected, what no rule allows is forbidden; a connection needs the leave of both ends. A pod on the
// network of its node is not a pod for them: its address is the node's, and no policy applies to it.
import { BlockList, isIP } from 'node:net'
import type {
  KubeObject,
  LabelSelector,
  NetworkPeer,
  NetworkPort,
  NetworkRules,
  PodTemplate,
  Rendering,
} from './manifest.ts'
import { labelsOf, nameOf, ofKind, portOf, selects, workloads } from './manifest.ts'

export interface Pod {
  readonly is: 'pod'
  readonly name: string
  readonly template: PodTemplate
  readonly namespace: string
  readonly namespaceLabels: Readonly<Record<string, string>>
  /** If given, blocks of addresses mean it, too; the API leaves that to the network. */
  readonly address?: string
}
/** Whatever is no pod: hosts of the Internet, nodes, pods on the network of their node. */
export interface Host {
  readonly is: 'host'
  readonly name: string
  readonly address: string
}
export type End = Pod | Host

export interface Port {
  readonly number: number
  readonly protocol: 'TCP' | 'UDP'
}

export function tcp(number: number): Port {
  return { number, protocol: 'TCP' }
}
export function udp(number: number): Port {
  return { number, protocol: 'UDP' }
}

/** The pods of a workload of the rendering. Throws if it has none of that name. */
export function podOf(rendering: Rendering, name: string, address?: string): Pod {
  const found = workloads(rendering).find(({ object }) => nameOf(object) === name)
  if (found === undefined) throw new Error(`there is no ${name}`)
  return strange(name, found.template, rendering.namespace, address)
}

/** A pod of somebody else's. */
export function strange(name: string, template: PodTemplate, namespace: string, address?: string): Pod {
  const namespaceLabels = { 'kubernetes.io/metadata.name': namespace }
  return { is: 'pod', name, template, namespace, namespaceLabels, ...(address === undefined ? {} : { address }) }
}

/** Undefined: they may; else by whose policies not. */
export function barred(rendering: Rendering, from: End, to: End, port: Port): string | undefined {
  const out = applying(rendering, from, 'Egress')
  const leaves = (rules: NetworkRules) =>
    (rules.egress ?? []).some((rule) => meets(rule.to, to, rendering) && covers(rule.ports, port, to))
  if (out.length > 0 && !out.some(leaves)) return `${from.name} may not go out there`
  const into = applying(rendering, to, 'Ingress')
  const enters = (rules: NetworkRules) =>
    (rules.ingress ?? []).some((rule) => meets(rule.from, from, rendering) && covers(rule.ports, port, to))
  if (into.length > 0 && !into.some(enters)) return `${to.name} does not let it in`
  return undefined
}

/** The rules of the policies that restrict this end in this direction. */
function applying(rendering: Rendering, end: End, direction: 'Ingress' | 'Egress'): NetworkRules[] {
  if (end.is === 'host' || end.template.spec.hostNetwork === true) return []
  return ofKind(rendering, 'NetworkPolicy')
    .filter(({ metadata }: KubeObject) => metadata.namespace === end.namespace)
    .map(({ spec }) => spec as unknown as NetworkRules)
    .filter(({ podSelector, policyTypes = ['Ingress'] }) => {
      return policyTypes.includes(direction) && selects(podSelector, labelsOf(end.template))
    })
}

/** No peers at all means everybody. */
function meets(peers: readonly NetworkPeer[] | null | undefined, end: End, { namespace }: Rendering): boolean {
  if (peers === undefined || peers === null || peers.length === 0) return true
  return peers.some(({ ipBlock, podSelector, namespaceSelector }) => {
    if (ipBlock !== undefined) return end.address !== undefined && inBlock(ipBlock, end.address)
    if (end.is === 'host' || end.template.spec.hostNetwork === true) return false
    const near: boolean =
      namespaceSelector === undefined ? end.namespace === namespace : selects(namespaceSelector, end.namespaceLabels)
    return near && selects(podSelector ?? ({} satisfies LabelSelector), labelsOf(end.template))
  })
}

/** No ports at all means all of them; a name is that of a port of the pod that is connected to. */
function covers(ports: readonly NetworkPort[] | null | undefined, wanted: Port, to: End): boolean {
  if (ports === undefined || ports === null || ports.length === 0) return true
  return ports.some(({ protocol = 'TCP', port, endPort }) => {
    if (protocol !== wanted.protocol) return false
    if (port === undefined) return true
    const first = to.is === 'pod' ? portOf(to.template, port) : port
    if (typeof first !== 'number') return false
    return endPort === undefined ? first === wanted.number : first <= wanted.number && wanted.number <= endPort
  })
}

function inBlock({ cidr, except = [] }: NonNullable<NetworkPeer['ipBlock']>, address: string): boolean {
  return contains(cidr, address) && !except.some((hole) => contains(hole, address))
}

function contains(cidr: string, address: string): boolean {
  const [network = '', prefix = ''] = cidr.split('/')
  if (isIP(network) !== isIP(address)) return false
  const family = isIP(network) === 6 ? 'ipv6' : 'ipv4'
  const list = new BlockList()
  list.addSubnet(network, Number(prefix), family)
  return list.check(address, family)
}
