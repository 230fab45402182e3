// Sees to it that Debian's Postfix is there. When it is missing it is installed without a configuration of its own, so that
// nothing of the machine's mail changes; a machine that has another mail system keeps it, and is told why.

import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { promisify } from 'node:util'
import { install, missing } from '@posthouse/testkit/apt'

const run = promisify(execFile)

export const MASTER = '/usr/lib/postfix/sbin/master'
const NEEDED = [MASTER, '/usr/sbin/smtp-source', '/usr/sbin/smtp-sink', '/usr/sbin/postconf']

export async function ensurePostfix(progress: (line: string) => void): Promise<void> {
  if ((await missing(NEEDED)).length === 0) return
  progress("Debian's Postfix is missing: installing it without a configuration")
  await install(['postfix'], () => preselect('postfix postfix/main_mailer_type select No configuration'))
  const lacking = await missing(NEEDED)
  if (lacking.length > 0) throw new Error(`the package has not brought ${lacking.join(', ')}`)
}

export async function postfixVersion(): Promise<string> {
  const { stdout } = await run('/usr/sbin/postconf', ['-d', '-h', 'mail_version'])
  return stdout.trim()
}

async function preselect(line: string): Promise<void> {
  const child = spawn('debconf-set-selections', { stdio: ['pipe', 'ignore', 'inherit'] })
  child.stdin.end(`${line}\n`)
  const [code] = (await once(child, 'exit')) as [number | null]
  if (code !== 0) throw new Error('debconf-set-selections failed')
}
