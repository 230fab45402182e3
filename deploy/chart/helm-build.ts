// Makes sure that there is a helm that is new enough: one that the machine has, one built earlier, else one built from its
// sources at a pinned version, by the Go that the machine has or by Debian's, which is thrown away afterwards. Every long
// step says so on standard error; what failed on the way is in the error, with what to do. Run as a program it prints
// where the helm is.

import { execFile } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { unpackDebianPackages } from '../local/debian-package.ts'
import { keepFromFirst, type Say } from '../local/kept-tool.ts'
import { findHelm, HELM, MINIMUM, type HelmBinary } from './helm-binary.ts'

/** Puts a helm into `folder`; rejects with the reason why it cannot be had this way. */
export type Source = (folder: string, say: Say, env: NodeJS.ProcessEnv) => Promise<void>

const run = promisify(execFile)
const MODULE = 'helm.sh/helm/v4'
const VERSION = 'v4.3.1'
/** The Go that this helm wants, as Debian names it. */
const DEBIAN_GO = '1.26'

const sources: readonly { readonly name: string; readonly build: Source }[] = [
  { name: "this machine's Go", build: withOwnGo },
  { name: "Debian's Go", build: withDebianGo },
]

export async function ensureHelm(say: Say, from = sources, env: NodeJS.ProcessEnv = process.env): Promise<HelmBinary> {
  const found = findHelm(env)
  if (found !== undefined) return found
  const named = from.map(({ name, build }) => ({
    name,
    get: async (folder: string) => {
      await build(folder, say, env)
      return join(folder, 'helm')
    },
  }))
  const kept = await keepFromFirst(HELM, named, env, say)
  if (!('failures' in kept)) return kept
  throw new Error(
    `the tests of the chart need helm ${MINIMUM.join('.')} or newer; none is on the PATH, and none could be built:\n` +
      `${kept.failures}\n` +
      `Install helm, or Go ${DEBIAN_GO} or newer to build it with, or name it: POSTHOUSE_HELM=/path/to/helm`,
  )
}

async function withOwnGo(folder: string, say: Say, env: NodeJS.ProcessEnv): Promise<void> {
  const go = ownGo(env)
  if (go === undefined) throw new Error('there is none on the PATH or in /usr/local/go')
  // Its module cache is its user's own, where other builds find the same modules again.
  await goInstall(go, folder, say, env)
}

/** The first go that can be run. */
export function ownGo(env: NodeJS.ProcessEnv, last = '/usr/local/go/bin'): string | undefined {
  const folders = [...(env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== ''), last]
  return folders
    .map((folder) => join(folder, 'go'))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
}

async function withDebianGo(folder: string, say: Say, env: NodeJS.ProcessEnv): Promise<void> {
  const names = [`golang-${DEBIAN_GO}-go`, `golang-${DEBIAN_GO}-src`]
  const unpacked = await unpackDebianPackages(names, 'sid', 44, folder, say)
  // Nothing of it stays: neither the compiler nor the modules that it fetches.
  await goInstall(join(unpacked, `usr/lib/go-${DEBIAN_GO}/bin/go`), folder, say, {
    ...env,
    GOROOT: join(unpacked, `usr/lib/go-${DEBIAN_GO}`),
    GOTOOLCHAIN: 'local',
    GOPATH: join(folder, 'modules'),
    GOMODCACHE: join(folder, 'modules', 'pkg', 'mod'),
    GOCACHE: join(folder, 'built'),
    GOFLAGS: `${env['GOFLAGS'] ?? ''} -modcacherw`.trim(),
  })
}

async function goInstall(go: string, folder: string, say: Say, env: NodeJS.ProcessEnv): Promise<void> {
  say(`building helm ${VERSION} with ${go}, for the tests of the chart (takes some minutes, once)`)
  // Without the version it would take itself for a v4.3 of unknown patch; without symbols it is a third smaller.
  const flags = `-s -w -X ${MODULE}/internal/version.version=${VERSION}`
  const how = { env: { ...env, GOBIN: folder, CGO_ENABLED: '0' }, maxBuffer: 16 * 1024 * 1024 }
  await run(go, ['install', '-trimpath', '-ldflags', flags, `${MODULE}/cmd/helm@${VERSION}`], how).catch(
    (error: Error & { stderr?: string }) => {
      const lines = (error.stderr ?? '')
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('go: downloading'))
      throw new Error(lines.slice(0, 2).join('; ') || error.message, { cause: error })
    },
  )
}

if (import.meta.main) {
  try {
    const binary = await ensureHelm((line) => console.error(`posthouse: ${line}`))
    console.log(`helm ${binary.version} at ${binary.path}`)
  } catch (error) {
    console.error(`posthouse: ${(error as Error).message}`)
    process.exitCode = 1
  }
}
