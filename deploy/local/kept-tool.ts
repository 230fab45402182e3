// Gets a tool that the machine lacks: from the first of several sources that works, into a temporary folder, and from there,
// complete or not at all, to where it is found again.

import { copyFile, mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspectTool, isNewEnough, toolFolders, type Tool, type ToolBinary } from '@posthouse/testkit/tool'

export type Say = (line: string) => void

export interface ToolSource {
  readonly name: string
  /** Puts the program into `folder` and resolves with its path there; rejects with the reason why it cannot be had this way. */
  readonly get: (folder: string) => Promise<string>
}

/** Why each source failed, a line each, where all did. */
export async function keepFromFirst(
  tool: Tool,
  sources: readonly ToolSource[],
  env: NodeJS.ProcessEnv,
  say: Say,
): Promise<ToolBinary | { readonly failures: string }> {
  const failures: string[] = []
  for (const source of sources) {
    const folder = await mkdtemp(join(tmpdir(), `posthouse-${tool.name}-`))
    try {
      const binary = inspectTool(tool, await source.get(folder))
      if (binary === undefined) throw new Error('the program does not run on this machine')
      if (!isNewEnough(binary.version, tool.minimum)) throw new Error(`its version ${binary.version} is too old`)
      return await keep(tool, binary, env, say)
    } catch (error) {
      failures.push(`  ${source.name}: ${(error as Error).message}`)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }
  return { failures: failures.join('\n') }
}

/** Into the user's cache, for all checkouts; into this checkout where that cannot be written. */
async function keep({ name }: Tool, binary: ToolBinary, env: NodeJS.ProcessEnv, say: Say): Promise<ToolBinary> {
  const [checkout, shared] = toolFolders(env)
  let last: unknown
  for (const tools of [shared, checkout]) {
    const folder = join(tools, `${name}-${binary.version}`)
    const path = join(folder, name)
    try {
      await mkdir(folder, { recursive: true })
      await copyFile(binary.path, `${path}.${process.pid}`)
      await rename(`${path}.${process.pid}`, path)
      say(`${name} ${binary.version} is in ${folder}`)
      return { path, version: binary.version }
    } catch (error) {
      last = error
    }
  }
  throw last
}
