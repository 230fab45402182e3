// Sees to it that Debian's Postfix is there. When it is missing it is installed without a configuration of its own, so that
// nothing of the machine's mail changes; a machine that has another mail system keeps it, and is told why.

import { execFile } from 'node:child_process'
import { access } from 'node:fs/promises'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { promisify } from 'node:util'

const run = promisify(execFile)

export const MASTER = '/usr/lib/postfix/sbin/master'
const NEEDED = [MASTER, '/usr/sbin/smtp-source', '/usr/sbin/smtp-sink', '/usr/sbin/postconf']
const APT_ENVIRONMENT = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' }

export async function ensurePostfix(progress: (line: string) => void): Promise<void> {
  if (await isInstalled()) return
  if (process.getuid?.() !== 0)
    throw new Error('Postfix is missing: install it (apt-get install postfix), or run this as root')
  progress("installing Debian's Postfix, without a configuration")
  const install = ['install', '-y', '--no-install-recommends', 'postfix']
  let plan = await apt(['-s', ...install]).catch(() => undefined)
  if (plan === undefined) {
    await apt(['update'])
    plan = await apt(['-s', ...install])
  }
  const removed = removals(plan)
  if (removed.length > 0) {
    throw new Error(
      `installing Postfix would remove ${removed.join(', ')} from this machine: that is for you to decide`,
    )
  }
  await preselect('postfix postfix/main_mailer_type select No configuration')
  await apt(install)
  if (!(await isInstalled())) throw new Error(`the package has not brought ${NEEDED.join(', ')}`)
}

/** What a simulated installation says it would remove. */
export function removals(plan: string): string[] {
  return [...plan.matchAll(/^Remv (\S+)/gm)].map((match) => match[1] ?? '')
}

export async function postfixVersion(): Promise<string> {
  const { stdout } = await run('/usr/sbin/postconf', ['-d', '-h', 'mail_version'])
  return stdout.trim()
}

async function isInstalled(): Promise<boolean> {
  const found = await Promise.all(
    NEEDED.map((file) =>
      access(file).then(
        () => true,
        () => false,
      ),
    ),
  )
  return found.every(Boolean)
}

async function apt(args: readonly string[]): Promise<string> {
  return (await run('apt-get', args, { env: APT_ENVIRONMENT, maxBuffer: 64 * 1024 * 1024 })).stdout
}

async function preselect(line: string): Promise<void> {
  const child = spawn('debconf-set-selections', { stdio: ['pipe', 'ignore', 'inherit'] })
  child.stdin.end(`${line}\n`)
  const [code] = (await once(child, 'exit')) as [number | null]
  if (code !== 0) throw new Error('debconf-set-selections failed')
}
