// `posthouse config check SERVICE`: asks the service itself whether it would start with these settings. It takes the file
// and the environment that it would have, prints its settings and ends.
import { spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Command } from './command.ts'
import { failed, STATUS, type Answer, type Failed } from './status.ts'
import type { World } from './world.ts'

export const configCheck: Command = {
  name: 'config check',
  summary: 'would a service start with these settings?',
  operands: ['SERVICE'],
  options: {
    config: { value: 'FILE', help: 'its settings file' },
    print: { help: 'print the effective settings, secrets hidden' },
  },
  notes: [
    'SERVICE is edge, delivery, … The environment of this command counts as the environment of the service. Every mistake',
    'is one line; exit status 78 when there is one.',
  ],
  async run(given, world) {
    const [service = ''] = given.operands
    const known = services(world.root)
    if (!known.includes(service)) {
      return failed('usage', `${service}: no such service; there are ${known.join(', ')}`)
    }
    const config = given.value('config')
    if (config === undefined) return failed('usage', 'config check: --config FILE is missing')
    return check(service, config, given.has('print'), world)
  },
}

/** The folders of services that read settings. */
function services(root: string): string[] {
  const folder = join(root, 'services')
  return readdirSync(folder).filter((name) => existsSync(join(folder, name, 'settings.ts')))
}

async function check(service: string, config: string, print: boolean, world: World): Promise<Answer | Failed> {
  const main = join(world.root, 'services', service, 'main.ts')
  const child = spawn(process.execPath, [main, '--config', config, '--print-settings'], {
    env: world.environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  const [status, settings, complaints] = await Promise.all([ended, text(child.stdout), text(child.stderr)])
  const lines = complaints.split('\n').filter((line) => line !== '')
  if (status === 0) {
    const json = { service, file: config, ok: true, errors: [] }
    return { is: 'answer', json, text: print ? settings : `${config}: the settings of ${service} are good` }
  }
  if (status !== STATUS.config) {
    return failed(
      'failed',
      `${service} could not be asked (exit status ${status}): ${lines.at(-1) ?? 'it said nothing'}`,
    )
  }
  return { is: 'failed', status, lines, json: { service, file: config, ok: false, errors: lines } }
}
