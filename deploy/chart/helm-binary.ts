// The helm that is used: it must be new enough. helm-build.ts builds one where there is none.

import { findTool, inspectTool, isNewEnough as isAtLeast, type Tool, type ToolBinary } from '@posthouse/testkit/tool'

/** Older ones cannot lint for a Kubernetes version of one's choice. */
export const MINIMUM = [3, 14] as const

export type HelmBinary = ToolBinary

/** The version without its "v"; one built from a module may name no patch ("4.3"). */
export function parseVersion(output: string): string | undefined {
  return /^v?(\d+\.\d+(?:\.\d+)?[^\s+]*)/.exec(output.trim())?.[1]
}

export const HELM: Tool = {
  name: 'helm',
  variable: 'POSTHOUSE_HELM',
  minimum: MINIMUM,
  ask: ['version', '--template', '{{.Version}}'],
  patienceMs: 60_000,
  parseVersion,
}

export const isNewEnough = (version: string): boolean => isAtLeast(version, MINIMUM)

export const inspect = (path: string): HelmBinary | undefined => inspectTool(HELM, path)

/** The first helm that is new enough. Throws when POSTHOUSE_HELM names one that is not. */
export function findHelm(env: NodeJS.ProcessEnv = process.env): HelmBinary | undefined {
  return findTool(HELM, env)
}

let found: HelmBinary | undefined

/** The same, once for the life of the process. */
export function requireHelm(): HelmBinary {
  found ??= findHelm()
  if (found !== undefined) return found
  throw new Error(`no helm ${MINIMUM.join('.')} or newer found: \`npm test\` builds one, or put one on the PATH`)
}
