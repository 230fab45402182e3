// Plays a run: the whole program with stand-ins for kubectl and helm, and a record of what it asked them.

import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import type { Options } from '../options.ts'
import type { RunResult } from '../result.ts'
import { run } from '../run.ts'
import { GRACEFUL, type Step } from '../step.ts'
import { load } from '../steps/set-up.ts'
import { chosen, STEPS } from '../steps/table.ts'
import { goodCluster, phase } from './fake-cluster.ts'
import { FakePrograms, type Rule } from './fake-programs.ts'

export interface Scenario {
  readonly rules?: readonly Rule[]
  readonly options?: Partial<Options>
  readonly steps?: readonly Step[]
  readonly only?: readonly string[]
  /** Called with the stand-ins before the run begins. */
  readonly has?: (programs: FakePrograms) => void
  /** Called with every line that is said. */
  readonly hears?: (line: string, stop: AbortController) => void
}

export interface Told {
  readonly result: RunResult
  readonly programs: FakePrograms
  readonly data: string
}

const IMAGE = { repository: 'posthouse', tag: '2', digest: '' }

/** A whole run against the stand-ins, in which all goes well but for what the scenario says. */
export async function play(t: TestContext, scenario: Scenario): Promise<Told> {
  const folder = await temporaryFolder('e2e')
  t.after(() => folder.remove())
  const programs = await FakePrograms.put(folder.path, [...(scenario.rules ?? []), ...goodCluster()])
  t.after(() => programs.takeAway())
  scenario.has?.(programs)
  const data = join(folder.path, 'data')
  const options: Options = {
    image: IMAGE,
    loadImage: { ...IMAGE, repository: 'posthouse-loadtest' },
    previousImage: { ...IMAGE, tag: '1' },
    namespace: 'posthouse-e2e',
    chart: '/chart',
    values: [],
    only: [],
    rate: 30,
    nodeCommand: undefined,
    node: undefined,
    mayDrain: false,
    keep: false,
    json: false,
    writeDocs: false,
    timeoutMs: 60_000,
    data,
    ...scenario.options,
  }
  const stop = new AbortController()
  const result = await run({
    options,
    steps: scenario.steps ?? chosen(STEPS, scenario.only ?? ['calm-not-there']),
    root: folder.path,
    signal: stop.signal,
    say: (line) => scenario.hears?.(line, stop),
    longestSleepMs: 1,
  })
  return { result, programs, data }
}

export const outcomes = ({ steps }: RunResult) => Object.fromEntries(steps.map(({ name, outcome }) => [name, outcome]))

/** A step of which nobody notices anything. */
export const quick = (name: string, work: Step['run'] = async () => {}): Step => ({
  name,
  what: `${name} is done`,
  bars: GRACEFUL,
  run: work,
})
const install = STEPS.find(({ name }) => name === 'install') as Step
const ending = STEPS.filter(({ name }) => name === 'drain' || name === 'uninstall')
/** With what a run cannot do without. */
export const around = (...steps: readonly Step[]): readonly Step[] => [install, load, ...steps, ...ending]
/** The load tells of a step's phase when the next begins. */
export const told = (name: string, parts = {}): Rule => ({
  call: `remote-control phase after ${name}`,
  says: phase(name, parts),
})
