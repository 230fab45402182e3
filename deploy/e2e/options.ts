// The command line of `npm run e2e`: read into one value, or answered with what is wrong with it, all at once.

import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { parseImage, type Image } from './image.ts'

export interface Options {
  readonly image: Image
  readonly loadImage: Image
  /** What is installed first, to be upgraded from. */
  readonly previousImage: Image
  readonly namespace: string
  readonly chart: string
  /** Files with further values; this program's own outweigh them. */
  readonly values: readonly string[]
  /** Names of steps; empty: all. */
  readonly only: readonly string[]
  /** Messages per second. */
  readonly rate: number
  /** Command that breaks a node: `COMMAND NODE cut|heal|kill|start`. */
  readonly nodeCommand: string | undefined
  readonly node: string | undefined
  readonly mayDrain: boolean
  readonly keep: boolean
  readonly json: boolean
  readonly writeDocs: boolean
  /** How long one step may take, ms. */
  readonly timeoutMs: number
  /** Where logs and events go when something fails, or no bar says whether it went well. */
  readonly data: string
}

export type CommandLine =
  | { readonly is: 'run'; readonly options: Options }
  | { readonly is: 'list' }
  | { readonly is: 'help' }
  | { readonly is: 'wrong'; readonly errors: readonly string[] }

export const HELP = `usage: npm run -s e2e -- --image NAME:TAG --load-image NAME:TAG [OPTION]…

Installs the chart on the cluster that KUBECONFIG names, sends mail through it from inside, scales it, breaks it, upgrades it, and
accounts for every message. All is done in a namespace of its own, which is removed in the end. Exit status 1 if a promise or a bar
does not hold.

  --image NAME:TAG           image of Posthouse, which the nodes can pull or have
  --load-image NAME:TAG      image of the load test (deploy/Dockerfile, target loadtest)
  --previous-image NAME:TAG  what is installed first, to be upgraded to --image (--image itself: then only settings change)
  --namespace NAME           namespace to make (posthouse-e2e); one that was not made by this program is never touched
  --chart PATH               chart (helm/posthouse)
  --values FILE              values beside this program's own; may be given more than once
  --only STEP,…              these steps only; installing, load, judgement and removal are always there
  --list                     the steps, in one sentence each
  --rate N                   messages per second (30)
  --node-command COMMAND     breaks a node: called as COMMAND NODE cut, heal, kill or start; without it no node is broken
  --node NAME                the node to break or drain (the last by name that has no API server)
  --allow-drain              cordons that node for a while and evicts this program's own pods; others stay (--node-command allows it too)
  --timeout SECONDS          how long a step may take (600)
  --data DIR                 where logs, events and descriptions go when something fails or has no bar (.posthouse/e2e)
  --keep                     leaves release and namespace in place
  --json                     the last line is one JSON object
  --write-docs               puts the results into docs/kubernetes.json and docs/kubernetes-results.md
  --help                     this text
`

const NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/

export function parseCommandLine(args: readonly string[], root: string, steps: readonly string[]): CommandLine {
  const known = {
    image: { type: 'string' },
    'load-image': { type: 'string' },
    'previous-image': { type: 'string' },
    namespace: { type: 'string' },
    chart: { type: 'string' },
    values: { type: 'string', multiple: true },
    only: { type: 'string' },
    list: { type: 'boolean' },
    rate: { type: 'string' },
    'node-command': { type: 'string' },
    node: { type: 'string' },
    'allow-drain': { type: 'boolean' },
    timeout: { type: 'string' },
    data: { type: 'string' },
    keep: { type: 'boolean' },
    json: { type: 'boolean' },
    'write-docs': { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  } as const
  let given
  try {
    given = parseArgs({ args: [...args], options: known, strict: true, allowPositionals: false }).values
  } catch (error) {
    return { is: 'wrong', errors: [(error as Error).message.split('. ')[0] as string] }
  }
  if (given.help) return { is: 'help' }
  if (given.list) return { is: 'list' }

  const errors: string[] = []
  const image = (name: 'image' | 'load-image' | 'previous-image'): Image | undefined => {
    const text = given[name]
    if (text === undefined) {
      if (name !== 'previous-image') errors.push(`--${name}: is missing`)
      return undefined
    }
    try {
      return parseImage(text)
    } catch (error) {
      errors.push(`--${name}: ${(error as Error).message}`)
      return undefined
    }
  }
  const number = (name: 'rate' | 'timeout', absent: number, least: number, most: number): number => {
    const text = given[name]
    if (text === undefined) return absent
    const value = Number(text)
    if (/^\d+$/.test(text) && value >= least && value <= most) return value
    errors.push(`--${name}: must be a number from ${least} to ${most}, not ${JSON.stringify(text)}`)
    return absent
  }
  const images = { image: image('image'), loadImage: image('load-image'), previous: image('previous-image') }
  const only = (given.only ?? '').split(',').filter((name) => name !== '')
  for (const name of only) if (!steps.includes(name)) errors.push(`--only: no step ${name}; --list tells them`)
  const namespace = given.namespace ?? 'posthouse-e2e'
  if (!NAME.test(namespace))
    errors.push(`--namespace: must be a name as Kubernetes has it, not ${JSON.stringify(namespace)}`)
  if (given['node-command']?.trim() === '') errors.push('--node-command: is empty')
  const rate = number('rate', 30, 1, 10_000)
  const timeout = number('timeout', 600, 30, 7200)
  if (errors.length > 0 || images.image === undefined || images.loadImage === undefined) return { is: 'wrong', errors }
  return {
    is: 'run',
    options: {
      image: images.image,
      loadImage: images.loadImage,
      previousImage: images.previous ?? images.image,
      namespace,
      chart: given.chart === undefined ? resolve(root, 'helm/posthouse') : resolve(given.chart),
      values: (given.values ?? []).map((file) => resolve(file)),
      only,
      rate,
      nodeCommand: given['node-command'],
      node: given.node,
      mayDrain: (given['allow-drain'] ?? false) || given['node-command'] !== undefined,
      keep: given.keep ?? false,
      json: given.json ?? false,
      writeDocs: given['write-docs'] ?? false,
      timeoutMs: timeout * 1000,
      data: given.data === undefined ? resolve(root, '.posthouse/e2e') : resolve(given.data),
    },
  }
}
