// What the results of the faults depend on besides the seed: the machine, the versions of what took part, and the day.

import { spawnSync } from 'node:child_process'
import { parseVersion, requireNatsServer } from '@posthouse/testkit/nats-binary'
import { thisMachine, type Machine } from '../../machine.ts'

export interface Conditions extends Machine {
  readonly natsServer: string
  readonly haproxy: string
  readonly commit: string
  /** Day of the run, as 2026-11-24. */
  readonly date: string
}

/** What a result depends on: a change of the docs does not count. */
const SOURCES = ['libs', 'services', 'loadtest', 'package-lock.json']

export async function conditionsNow(root: string, now = new Date()): Promise<Conditions> {
  return {
    ...(await thisMachine()),
    natsServer: requireNatsServer().version,
    haproxy: parseVersion(output('haproxy', ['-v'], root)) ?? 'none',
    commit: commitOf(root),
    date: now.toISOString().slice(0, 10),
  }
}

function commitOf(root: string): string {
  const commit = output('git', ['rev-parse', '--short=10', 'HEAD'], root).trim()
  if (commit === '') return 'unknown'
  const changed = output('git', ['status', '--porcelain', '--', ...SOURCES], root).trim() !== ''
  return changed ? `${commit} with changes` : commit
}

/** What a program says, or nothing if it cannot be asked. */
function output(program: string, args: readonly string[], cwd: string): string {
  const run = spawnSync(program, args, { cwd, encoding: 'utf8', timeout: 10_000 })
  return run.status === 0 ? run.stdout : ''
}
