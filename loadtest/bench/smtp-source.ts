// Postfix's smtp-source as the sender of a benchmark.

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface Load {
  readonly host: string
  readonly port: number
  readonly messages: number
  readonly sessions: number
  readonly size: number
  readonly connections: 'kept' | 'one-shot'
}

/** Resolves when every message has been accepted. */
export async function smtpSource(load: Load, signal: AbortSignal): Promise<void> {
  await run('smtp-source', argumentsOf(load), { signal, timeout: 600_000 })
}

export function argumentsOf(load: Load): string[] {
  const kept = load.connections === 'kept' ? ['-d'] : []
  const counts = ['-s', String(load.sessions), '-m', String(load.messages), '-l', String(load.size)]
  return [...kept, ...counts, '-f', 'load@sender.example', '-t', 'mailbox@sink.example', `${load.host}:${load.port}`]
}
