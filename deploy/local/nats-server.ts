// Makes sure that there is a nats-server that is new enough: one that the machine has, one unpacked earlier, else the
// Debian package, else the official release. Every long step says so on standard error; what failed on the way is
// in the error, with what to do. Run as a program it prints where the server is.

import { findNatsServer, MINIMUM, NATS_SERVER, type NatsBinary } from '@posthouse/testkit/nats-binary'
import { downloadDebianPackage } from './debian-package.ts'
import { keepFromFirst, type Say } from './kept-tool.ts'
import { downloadRelease } from './nats-release.ts'

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
  const named = from.map(({ name, download }) => ({ name, get: (folder: string) => download(folder, say) }))
  const kept = await keepFromFirst(NATS_SERVER, named, env, say)
  if (!('failures' in kept)) return kept
  throw new Error(
    `no nats-server ${MINIMUM.join('.')} or newer on the PATH, and none could be installed:\n${kept.failures}\n` +
      'Install one and put it on the PATH, or name it: POSTHOUSE_NATS_SERVER=/path/to/nats-server',
  )
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
