// Makes sure that there is a nats-server that is new enough: one that the machine has, one unpacked earlier, else the
// Debian package, else the official release. Every long step says so on standard error; what failed on the way is
// in the error, with what to do. Run as a program it prints where the server is.

import { copyFile, mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  findNatsServer,
  inspect,
  isNewEnough,
  MINIMUM,
  toolFolders,
  type NatsBinary,
} from '@posthouse/testkit/nats-binary'
import { downloadDebianPackage } from './debian-package.ts'
import { downloadRelease } from './nats-release.ts'

export type Say = (line: string) => void

/** Puts the program into `folder` and resolves with its path there; rejects with the reason why it cannot be had this way. */
export type Source = (folder: string, say: Say) => Promise<string>

const sources: readonly { readonly name: string; readonly download: Source }[] = [
  {
    name: 'Debian package',
    download: (folder, say) => downloadDebianPackage('nats-server', 'sid', 'usr/sbin/nats-server', folder, say),
  },
  { name: 'official release', download: downloadRelease },
]

export async function ensureNatsServer(
  say: Say,
  from = sources,
  env: NodeJS.ProcessEnv = process.env,
): Promise<NatsBinary> {
  const found = findNatsServer(env)
  if (found !== undefined) return found
  const failures: string[] = []
  for (const source of from) {
    const folder = await mkdtemp(join(tmpdir(), 'posthouse-nats-server-'))
    try {
      const path = await source.download(folder, say)
      const binary = inspect(path)
      if (binary === undefined) throw new Error('the program does not run on this machine')
      if (!isNewEnough(binary.version)) throw new Error(`its version ${binary.version} is too old`)
      return await keep(binary, env, say)
    } catch (error) {
      failures.push(`  ${source.name}: ${(error as Error).message}`)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }
  throw new Error(
    `no nats-server ${MINIMUM.join('.')} or newer on the PATH, and none could be installed:\n${failures.join('\n')}\n` +
      'Install one and put it on the PATH, or name it: POSTHOUSE_NATS_SERVER=/path/to/nats-server',
  )
}

/** Into the user's cache, for all checkouts; into this checkout where that cannot be written. Complete or not at all. */
async function keep(binary: NatsBinary, env: NodeJS.ProcessEnv, say: Say): Promise<NatsBinary> {
  const [checkout, shared] = toolFolders(env)
  let last: unknown
  for (const tools of [shared, checkout]) {
    const folder = join(tools, `nats-server-${binary.version}`)
    const path = join(folder, 'nats-server')
    try {
      await mkdir(folder, { recursive: true })
      await copyFile(binary.path, `${path}.${process.pid}`)
      await rename(`${path}.${process.pid}`, path)
      say(`nats-server ${binary.version} is in ${folder}`)
      return { path, version: binary.version }
    } catch (error) {
      last = error
    }
  }
  throw last
}

if (import.meta.main) {
  try {
    const binary = await ensureNatsServer((line) => console.error(`posthouse: ${line}`))
    console.log(`nats-server ${binary.version} at ${binary.path}`)
  } catch (error) {
    console.error(`posthouse: ${(error as Error).message}`)
    process.exitCode = 1
  }
}
