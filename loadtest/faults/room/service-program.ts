// An edge or a delivery of a room: its settings file, and the sources of the checkout that it is to be run from.

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { checkoutRoot } from '@posthouse/testkit/tool'
import { stringify } from 'yaml'
import { fakeClock } from '../breakage/fake-clock.ts'
import type { Place } from './ground.ts'
import { ownEnvironment } from './own-environment.ts'
import type { Program } from './program-node.ts'
import { deliverySettings, edgeSettings, type Around } from './service-settings.ts'

const ANSWER_WITHIN_MS = 1000

export async function serviceProgram(place: Place, around: Around): Promise<Program> {
  const { dir, clocks } = around.options
  const settings = place.kind === 'edge' ? edgeSettings(place, around) : deliverySettings(place, around)
  const file = join(dir, `${place.name}.yaml`)
  await writeFile(file, stringify(settings), { mode: 0o600 })
  const clock = clocks === true ? fakeClock(join(dir, `${place.name}.clock`)) : undefined
  const http = `http://${place.address}:${place.httpPort}`
  return {
    http,
    env: ownEnvironment(clock?.env),
    command: async (release = checkoutRoot()) => [
      process.execPath,
      join(release, 'services', place.kind, 'main.ts'),
      '--config',
      file,
    ],
    notReady: () => readiness(http),
    ...(clock === undefined ? {} : { jumpClock: (ms: number) => clock.jump(ms) }),
  }
}

async function readiness(http: string): Promise<string | undefined> {
  try {
    const answer = await fetch(`${http}/readyz`, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) })
    const text = await answer.text()
    return answer.ok ? undefined : text.trim()
  } catch {
    return `nothing answers at ${http}`
  }
}
