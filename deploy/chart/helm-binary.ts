// Finds a helm that is new enough: named by POSTHOUSE_HELM, on the PATH, or built earlier by the project's own set-up and
// kept beside its nats-server. It builds nothing; helm-build.ts does.

import { spawnSync } from 'node:child_process'
import { accessSync, constants, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { toolFolders } from '@posthouse/testkit/nats-binary'

/** Older ones cannot lint for a Kubernetes version of one's choice. */
export const MINIMUM = [3, 14] as const

const NAME = 'helm'

export interface HelmBinary {
  readonly path: string
  readonly version: string
}

/** The version without its "v"; one built from a module may name no patch ("4.3"). */
export function parseVersion(output: string): string | undefined {
  return /^v?(\d+\.\d+(?:\.\d+)?[^\s+]*)/.exec(output.trim())?.[1]
}

export function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map((part) => Number.parseInt(part, 10))
  return major > MINIMUM[0] || (major === MINIMUM[0] && minor >= MINIMUM[1])
}

/** What the program at this path says of itself, if it runs at all. */
export function inspect(path: string): HelmBinary | undefined {
  try {
    accessSync(path, constants.X_OK)
  } catch {
    return undefined
  }
  const run = spawnSync(path, ['version', '--template', '{{.Version}}'], { encoding: 'utf8', timeout: 60_000 })
  const version = run.status === 0 ? parseVersion(run.stdout) : undefined
  return version === undefined ? undefined : { path, version }
}

function candidates(env: NodeJS.ProcessEnv): string[] {
  const onPath = (env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')
  const kept = toolFolders(env).flatMap((folder) => {
    try {
      return readdirSync(folder)
        .filter((entry) => entry.startsWith(`${NAME}-`))
        .map((entry) => join(folder, entry))
    } catch {
      return []
    }
  })
  return [...onPath, ...kept].map((folder) => join(folder, NAME))
}

/** The first helm that is new enough. Throws when POSTHOUSE_HELM names one that is not. */
export function findHelm(env: NodeJS.ProcessEnv = process.env): HelmBinary | undefined {
  const named = env['POSTHOUSE_HELM']
  if (named !== undefined && named !== '') {
    const binary = inspect(named)
    if (binary === undefined) throw new Error(`POSTHOUSE_HELM: ${named} is not a helm that runs here`)
    if (!isNewEnough(binary.version)) {
      throw new Error(`POSTHOUSE_HELM: ${named} is version ${binary.version}, needed is ${MINIMUM.join('.')} or newer`)
    }
    return binary
  }
  for (const path of candidates(env)) {
    const binary = inspect(path)
    if (binary !== undefined && isNewEnough(binary.version)) return binary
  }
  return undefined
}

let found: HelmBinary | undefined

/** The same, once for the life of the process. */
export function requireHelm(): HelmBinary {
  found ??= findHelm()
  if (found !== undefined) return found
  throw new Error(`no helm ${MINIMUM.join('.')} or newer found: \`npm test\` builds one, or put one on the PATH`)
}
