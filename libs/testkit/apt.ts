// Debian packages that a test or a load run needs: whether their files are there, what installing them would take away, and the
// installation itself. Two processes that install at once wait for each other.

import { execFile } from 'node:child_process'
import { access } from 'node:fs/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

const WAIT_FOR_THE_OTHER = ['-o', 'DPkg::Lock::Timeout=120']

/**
 * Installs the packages without their recommendations; the package lists are fetched only when they are missing or too old. An
 * installation that would remove something is refused: that is for the owner of the machine to decide.
 */
export async function install(packages: readonly string[], beforehand: () => Promise<void> = async () => {}) {
  const names = packages.join(' ')
  if (process.getuid?.() !== 0)
    throw new Error(`missing: ${names}; install it (apt-get install ${names}), or run this as root`)
  const request = ['install', '-y', '--no-install-recommends', ...packages]
  const fresh = async () => {
    await apt(['update'])
    return apt(['-s', ...request])
  }
  const removed = removals(await apt(['-s', ...request]).catch(fresh))
  if (removed.length > 0) {
    throw new Error(
      `installing ${names} would remove ${removed.join(', ')} from this machine: that is for you to decide`,
    )
  }
  await beforehand()
  // A list that is known but old names files that the mirror no longer has.
  await apt(request).catch(async () => {
    await fresh()
    await apt(request)
  })
}

/** What a simulated installation says it would remove. */
export function removals(plan: string): string[] {
  return [...plan.matchAll(/^Remv (\S+)/gm)].map((match) => match[1] ?? '')
}

/** Those of the files that are not there. */
export async function missing(files: readonly string[]): Promise<string[]> {
  const found = await Promise.all(
    files.map((file) =>
      access(file).then(
        () => true,
        () => false,
      ),
    ),
  )
  return files.filter((_, index) => !found[index])
}

async function apt(args: readonly string[]): Promise<string> {
  // In run level 1 no package starts a service of its own.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C', RUNLEVEL: '1' }
  return (await run('apt-get', [...WAIT_FOR_THE_OTHER, ...args], { env, maxBuffer: 64 * 1024 * 1024 })).stdout
}
