// Finds a nats-server that is new enough: named by POSTHOUSE_NATS_SERVER, on the PATH, or unpacked earlier by the project's
// own set-up into the checkout or the user's cache. It downloads nothing; deploy/local/nats-server.ts does.

import { spawnSync } from 'node:child_process'
import { accessSync, constants, readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'

/** Older ones fsync less than is promised (see ARCHITECTURE). */
export const MINIMUM = [2, 15] as const

const NAME = 'nats-server'

export interface NatsBinary {
  readonly path: string
  readonly version: string
}

export function checkoutRoot(): string {
  return dirname(dirname(import.meta.dirname))
}

/** Folders that hold unpacked servers, one folder per version: the checkout's, then the one that all checkouts share. */
export function toolFolders(env: NodeJS.ProcessEnv = process.env): [checkout: string, shared: string] {
  const cache = env['XDG_CACHE_HOME'] || join(homedir(), '.cache')
  return [join(checkoutRoot(), '.posthouse', 'tools'), join(cache, 'posthouse', 'tools')]
}

export function parseVersion(output: string): string | undefined {
  return /\bv?(\d+\.\d+\.\d+[^\s]*)/.exec(output)?.[1]
}

export function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > MINIMUM[0] || (major === MINIMUM[0] && minor >= MINIMUM[1])
}

/** What the program at this path says of itself, if it runs at all. */
export function inspect(path: string): NatsBinary | undefined {
  try {
    accessSync(path, constants.X_OK)
  } catch {
    return undefined
  }
  const run = spawnSync(path, ['--version'], { encoding: 'utf8', timeout: 10_000 })
  const version = run.status === 0 ? parseVersion(run.stdout) : undefined
  return version === undefined ? undefined : { path, version }
}

function candidates(env: NodeJS.ProcessEnv): string[] {
  const onPath = (env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')
  const unpacked = toolFolders(env).flatMap((folder) => {
    try {
      return readdirSync(folder)
        .filter((entry) => entry.startsWith(`${NAME}-`))
        .map((entry) => join(folder, entry))
    } catch {
      return []
    }
  })
  return [...onPath, ...unpacked].map((folder) => join(folder, NAME))
}

/** The first server that is new enough. Throws when POSTHOUSE_NATS_SERVER names one that is not. */
export function findNatsServer(env: NodeJS.ProcessEnv = process.env): NatsBinary | undefined {
  const named = env['POSTHOUSE_NATS_SERVER']
  if (named !== undefined && named !== '') {
    const binary = inspect(named)
    if (binary === undefined) throw new Error(`POSTHOUSE_NATS_SERVER: ${named} is not a nats-server that runs here`)
    if (!isNewEnough(binary.version)) {
      throw new Error(
        `POSTHOUSE_NATS_SERVER: ${named} is version ${binary.version}, needed is ${MINIMUM.join('.')} or newer`,
      )
    }
    return binary
  }
  for (const path of candidates(env)) {
    const binary = inspect(path)
    if (binary !== undefined && isNewEnough(binary.version)) return binary
  }
  return undefined
}

export function requireNatsServer(): NatsBinary {
  const binary = findNatsServer()
  if (binary !== undefined) return binary
  throw new Error(`no nats-server ${MINIMUM.join('.')} or newer found: \`npm test\` and \`npm start\` install one`)
}
