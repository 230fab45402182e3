// `helm template` of a chart: values in, objects out, or the sentence by which it was refused. No cluster is asked for
// anything, whatever the environment of the caller names; what a cluster would say of itself (its version, the kinds it
// has) are arguments.

import { spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { checkoutRoot } from '@posthouse/testkit/tool'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { parseAllDocuments } from 'yaml'
import { requireHelm } from './helm-binary.ts'
import type { KubeObject } from './manifest.ts'

export const CHART = join(checkoutRoot(), 'helm', 'posthouse')

export interface RenderOptions {
  readonly chart?: string
  /** Paths of values files; later ones win. */
  readonly files?: readonly string[]
  /** Values on top of the files. */
  readonly values?: object
  readonly release?: string
  readonly namespace?: string
  /** Of the cluster, such as "1.36.0"; the newest that this helm knows by default. */
  readonly kubeVersion?: string
  /** Kinds that the cluster has beside Kubernetes' own, such as "monitoring.coreos.com/v1/PodMonitor". */
  readonly apiVersions?: readonly string[]
  readonly isUpgrade?: boolean
}

export type Rendered =
  | { readonly is: 'rendered'; readonly objects: readonly KubeObject[] }
  | { readonly is: 'refused'; readonly why: string }

export const RELEASE = 'mail'
export const NAMESPACE = 'post'

export interface Ended {
  readonly status: number | null
  readonly output: string
  readonly errors: string
}

/** Runs helm with an environment in which it finds no cluster and no plug-ins. Rejects if it cannot be run. */
export async function helm(args: readonly string[], cwd?: string): Promise<Ended> {
  const child = spawn(requireHelm().path, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      HOME: cwd ?? '/nonexistent',
      KUBECONFIG: '/dev/null',
      HELM_PLUGINS: '/nonexistent',
    },
    ...(cwd === undefined ? {} : { cwd }),
  })
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  const [status, output, errors] = await Promise.all([ended, text(child.stdout), text(child.stderr)])
  return { status, output, errors }
}

/** Renders the chart as `helm install` would (or `helm upgrade`). */
export async function render(options: RenderOptions = {}): Promise<Rendered> {
  await using folder = await temporaryFolder('values')
  const ended = await helm(['template', ...(await argumentsOf(options, folder.path))], folder.path)
  if (ended.status !== 0) return { is: 'refused', why: reason(ended.errors) }
  return { is: 'rendered', objects: parseObjects(ended.output) }
}

/** What `helm install` would tell its user. Rejects with the reason if it would not install. */
export async function notes(options: RenderOptions = {}): Promise<string> {
  await using folder = await temporaryFolder('values')
  const ended = await helm(['install', '--dry-run=client', ...(await argumentsOf(options, folder.path))], folder.path)
  if (ended.status !== 0) throw new Error(reason(ended.errors))
  const at = ended.output.lastIndexOf('\nNOTES:\n')
  if (at < 0) throw new Error('helm install shows no notes')
  return ended.output.slice(at + '\nNOTES:\n'.length).trimEnd()
}

async function argumentsOf(options: RenderOptions, folder: string): Promise<string[]> {
  const { release = RELEASE, chart = CHART, namespace = NAMESPACE } = options
  const files = [...(options.files ?? [])]
  if (options.values !== undefined) {
    files.push(join(folder, 'values.yaml'))
    // JSON is YAML that is read alike everywhere: nothing in it may be taken for a number or a yes.
    await writeFile(files.at(-1) as string, JSON.stringify(options.values))
  }
  return [
    release,
    chart,
    '--namespace',
    namespace,
    ...files.flatMap((file) => ['--values', file]),
    ...(options.kubeVersion === undefined ? [] : ['--kube-version', options.kubeVersion]),
    ...(options.apiVersions ?? []).flatMap((version) => ['--api-versions', version]),
    ...(options.isUpgrade === true ? ['--is-upgrade'] : []),
  ]
}

/**
 * The objects of several YAML documents, read by YAML 1.1 as Kubernetes does; empty ones are left out. Throws on what
 * Kubernetes could not read either.
 */
export function parseObjects(manifests: string): KubeObject[] {
  const documents = parseAllDocuments(manifests, { uniqueKeys: true, version: '1.1' })
  if (!Array.isArray(documents)) return []
  return documents.flatMap((document) => {
    const [error] = document.errors
    if (error !== undefined) throw new Error(`not valid YAML: ${error.message}`)
    const object = document.toJS() as KubeObject | null
    if (object === null) return []
    if (typeof object.kind !== 'string' || typeof object.metadata?.name !== 'string') {
      throw new Error(`not an object of Kubernetes: ${JSON.stringify(object).slice(0, 200)}`)
    }
    return [object]
  })
}

/** What is said around it: where in the templates, and how to see more. */
const AROUND = /^(level=|time=|WARNING:|walk\.go|Use --debug|values don't meet the specifications|posthouse:$)/

/** The sentences alone, a line each: of the schema about one value, or of the templates about how several go together. */
export function reason(errors: string): string {
  return errors
    .replace(/^Error: /, '')
    .split('\n')
    .map((line) => line.replace(/^(INSTALLATION FAILED: )?execution error at \([^)]*\): /, '').replace(/^- at /, ''))
    .filter((line) => line !== '' && !AROUND.test(line))
    .join('\n')
}
