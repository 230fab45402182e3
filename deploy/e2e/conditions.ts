// What the results of a run depend on: cluster, images, load, and the state of the sources.

import { loadavg } from 'node:os'
import { ended } from './command.ts'
import { imageText } from './image.ts'
import type { Helm, Kubectl } from './kubectl.ts'
import type { List, Node } from './objects.ts'
import type { Options } from './options.ts'
import type { Places } from './place.ts'
import type { Conditions } from './result.ts'

/** What a result depends on: a change of the docs does not count. */
const SOURCES = ['libs', 'services', 'helm', 'loadtest', 'deploy', 'package-lock.json']

const KIB_OF_GIB = 1024 * 1024

export async function conditionsOf(
  kubectl: Kubectl,
  helm: Helm,
  options: Options,
  { nodes }: Places,
  root: string,
): Promise<Conditions> {
  const { serverVersion } = await kubectl.json<{ serverVersion: { gitVersion: string } }>(['version'])
  const { items } = await kubectl.json<List<Node>>(['get', 'nodes'])
  return {
    date: new Date().toISOString().slice(0, 10),
    kubernetes: serverVersion.gitVersion.replace(/^v/, ''),
    helm: (await helm.version()).replace(/^v/, ''),
    nodes: nodes.length,
    ...machinesOf(items.filter(({ metadata }) => nodes.includes(metadata.name))),
    loadBefore: loadavg().map((load) => Math.round(load * 100) / 100),
    image: imageText(options.image),
    previousImage: imageText(options.previousImage),
    commit: await commitOf(root),
    rate: options.rate,
    namespace: options.namespace,
  }
}

/** What the nodes run on. Nodes with the same boot id share a machine, which each of them counts as its own. */
export function machinesOf(nodes: readonly Node[]): Pick<Conditions, 'machines' | 'cores' | 'memoryGiB' | 'platforms'> {
  const machines = new Map(nodes.map((node) => [node.status?.nodeInfo?.bootID ?? node.metadata.name, node]))
  const sum = (of: (node: Node) => number) => [...machines.values()].reduce((total, node) => total + of(node), 0)
  const platforms = nodes.map(({ status }) => {
    const {
      kernelVersion = 'unknown',
      architecture = 'unknown',
      containerRuntimeVersion = 'unknown',
    } = status?.nodeInfo ?? {}
    return `Linux ${kernelVersion.split('-')[0]} ${architecture}, ${containerRuntimeVersion.replace('://', ' ').split('+')[0]}`
  })
  return {
    machines: machines.size,
    cores: sum(({ status }) => Number(status?.capacity?.cpu ?? 0)),
    memoryGiB: Math.round(sum(({ status }) => kibOf(status?.capacity?.memory)) / KIB_OF_GIB),
    platforms: [...new Set(platforms)].toSorted(),
  }
}

/** As nodes tell it: `24684092Ki`. */
function kibOf(quantity = ''): number {
  const [, number = '0', unit = ''] = /^(\d+)(Ki|Mi|Gi|)$/.exec(quantity) ?? []
  const factor = { Ki: 1, Mi: 1024, Gi: KIB_OF_GIB, '': 1 / 1024 }[unit] ?? 0
  return Number(number) * factor
}

async function commitOf(root: string): Promise<string> {
  const git = async (...args: readonly string[]) => {
    try {
      const told = await ended('git', ['-C', root, ...args], { timeoutMs: 10_000 })
      return told.status === 0 ? told.stdout.trim() : ''
    } catch {
      return '' // a checkout without git is as good as any
    }
  }
  const commit = await git('rev-parse', '--short=10', 'HEAD')
  if (commit === '') return 'unknown'
  return (await git('status', '--porcelain', '--', ...SOURCES)) === '' ? commit : `${commit} with changes`
}
