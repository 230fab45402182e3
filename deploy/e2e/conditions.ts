// What the results of a run depend on: cluster, images, load, and the state of the sources.

import { ended } from './command.ts'
import { imageText } from './image.ts'
import type { Helm, Kubectl } from './kubectl.ts'
import type { Options } from './options.ts'
import type { Places } from './place.ts'
import type { Conditions } from './result.ts'

/** What a result depends on: a change of the docs does not count. */
const SOURCES = ['libs', 'services', 'helm', 'loadtest', 'deploy', 'package-lock.json']

interface Capacity {
  readonly items: readonly { readonly status?: { readonly capacity?: { readonly cpu?: string } } }[]
}

export async function conditionsOf(
  kubectl: Kubectl,
  helm: Helm,
  options: Options,
  { nodes }: Places,
  root: string,
): Promise<Conditions> {
  const { serverVersion } = await kubectl.json<{ serverVersion: { gitVersion: string } }>(['version'])
  const { items } = await kubectl.json<Capacity>(['get', 'nodes'])
  return {
    date: new Date().toISOString().slice(0, 10),
    kubernetes: serverVersion.gitVersion.replace(/^v/, ''),
    helm: (await helm.version()).replace(/^v/, ''),
    nodes: nodes.length,
    cores: items.reduce((sum, { status }) => sum + Number(status?.capacity?.cpu ?? 0), 0),
    image: imageText(options.image),
    previousImage: imageText(options.previousImage),
    commit: await commitOf(root),
    rate: options.rate,
    namespace: options.namespace,
  }
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
