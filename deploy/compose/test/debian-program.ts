// A program that a test needs from a Debian package: where it is, after it has been installed if it was nowhere. Nothing is removed
// for it, and no service is started by it.
import { execFile } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

export async function debianProgram(program: string, pack: string, say: (line: string) => void): Promise<string> {
  const there = await find(program)
  if (there !== undefined) return there
  if (process.getuid?.() !== 0) throw new Error(`${program} is missing: apt-get install ${pack}, or run this as root`)
  say(`${program} is missing: installing ${pack} from Debian`)
  const install = ['install', '-y', '--no-install-recommends', '--no-remove', pack]
  // Lists that are missing, or so old that they name files which are gone.
  await apt(install).catch(async () => {
    await apt(['update'])
    await apt(install)
  })
  const installed = await find(program)
  if (installed === undefined) throw new Error(`the package ${pack} has not brought ${program}`)
  return installed
}

async function find(program: string): Promise<string | undefined> {
  // Root's programs are not on everybody's PATH.
  for (const folder of [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/bin', '/sbin', '/bin']) {
    const path = join(folder, program)
    const runs = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (folder !== '' && runs) return path
  }
  return undefined
}

async function apt(args: readonly string[]): Promise<void> {
  // In run level 1 no package starts a service of its own.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C', RUNLEVEL: '1' }
  await run('apt-get', ['-o', 'DPkg::Lock::Timeout=120', '-q', ...args], { env, maxBuffer: 64 * 1024 * 1024 })
}
