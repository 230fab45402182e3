// Finds a program that is new enough: named by a variable, on the PATH, or kept earlier by the project's own set-up in the
// checkout or the user's cache. It downloads and builds nothing; deploy/local/kept-tool.ts keeps what others got.

import { spawnSync } from 'node:child_process'
import { accessSync, constants, readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'

export interface Tool {
  readonly name: string
  /** Variable of the environment that names the program to use. */
  readonly variable: string
  /** Major and minor version. */
  readonly minimum: readonly [number, number]
  /** Makes the program say its version. */
  readonly ask: readonly string[]
  /** How long it may take to, ms. */
  readonly patienceMs: number
  readonly parseVersion: (output: string) => string | undefined
}

export interface ToolBinary {
  readonly path: string
  readonly version: string
}

export function checkoutRoot(): string {
  return dirname(dirname(import.meta.dirname))
}

/** Folders that hold kept tools, one folder per version: the checkout's, then the one that all checkouts share. */
export function toolFolders(env: NodeJS.ProcessEnv = process.env): [checkout: string, shared: string] {
  const cache = env['XDG_CACHE_HOME'] || join(homedir(), '.cache')
  return [join(checkoutRoot(), '.posthouse', 'tools'), join(cache, 'posthouse', 'tools')]
}

export function isNewEnough(version: string, [major, minor]: Tool['minimum']): boolean {
  const [its = 0, itsMinor = 0] = version.split('.').map((part) => Number.parseInt(part, 10))
  return its > major || (its === major && itsMinor >= minor)
}

/** What the program at this path says of itself, if it runs at all. */
export function inspectTool(tool: Tool, path: string): ToolBinary | undefined {
  try {
    accessSync(path, constants.X_OK)
  } catch {
    return undefined
  }
  const run = spawnSync(path, tool.ask, { encoding: 'utf8', timeout: tool.patienceMs })
  const version = run.status === 0 ? tool.parseVersion(run.stdout) : undefined
  return version === undefined ? undefined : { path, version }
}

function candidates({ name }: Tool, env: NodeJS.ProcessEnv): string[] {
  const onPath = (env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')
  const kept = toolFolders(env).flatMap((folder) => {
    try {
      return readdirSync(folder)
        .filter((entry) => entry.startsWith(`${name}-`))
        .map((entry) => join(folder, entry))
    } catch {
      return []
    }
  })
  return [...onPath, ...kept].map((folder) => join(folder, name))
}

/** The first that is new enough. Throws when the variable names one that is not. */
export function findTool(tool: Tool, env: NodeJS.ProcessEnv): ToolBinary | undefined {
  const { name, variable, minimum } = tool
  const named = env[variable]
  if (named !== undefined && named !== '') {
    const binary = inspectTool(tool, named)
    if (binary === undefined) throw new Error(`${variable}: ${named} is not a ${name} that runs here`)
    if (!isNewEnough(binary.version, minimum)) {
      throw new Error(`${variable}: ${named} is version ${binary.version}, needed is ${minimum.join('.')} or newer`)
    }
    return binary
  }
  for (const path of candidates(tool, env)) {
    const binary = inspectTool(tool, path)
    if (binary !== undefined && isNewEnough(binary.version, minimum)) return binary
  }
  return undefined
}
