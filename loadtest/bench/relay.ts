// `npm run -s bench -- relay`: Posthouse and its peers take turns under the same loads, on the same cores, from the same sender
// to the same kind of sink. Each is warmed up first; the result is the median of the runs.

import { mkdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { Arguments, helpText, UsageError, type Options } from '../command-line.ts'
import { conditionsOf, loadNow } from './conditions.ts'
import {
  measureAcceptance,
  measureIdle,
  measureLoad,
  measureLonely,
  warmUp,
  type Lonely,
  type LoadShape,
} from './measure.ts'
import { ensurePostfix } from './postfix-package.ts'
import { startPostfix } from './postfix.ts'
import { startPosthouse } from './posthouse.ts'
import { lineOf, OURS, summarize, table, type Run } from './summary.ts'
import type { System } from './system.ts'

const PEERS = ['postfix'] as const
const SYSTEMS = [OURS, ...PEERS] as const
type SystemName = (typeof SYSTEMS)[number]

export const options: Options = {
  peers: { value: 'postfix', help: 'whom to compare with (postfix)' },
  only: { value: SYSTEMS.join('|'), help: 'measure this one alone' },
  sizes: { value: 'N,N', help: 'octets of content (4096,65536)' },
  sessions: { value: 'N,N', help: 'SMTP sessions at once (20,200)' },
  runs: { value: 'N', help: 'runs of each load (3)' },
  messages: { value: 'N', help: 'messages of each run (8000; 3000 of more than 16 KiB)' },
  lonely: { value: 'N', help: 'lonely messages (50)' },
  'one-shot': { value: '', help: 'a connection for every message' },
  'no-admin': { value: '', help: 'Posthouse without its admin node, which mail does not pass' },
  'cpu-prof': { value: 'DIR', help: 'the nodes of Posthouse write CPU profiles there when they stop' },
  json: { value: '', help: 'the last line is one JSON object' },
  help: { value: '', help: 'this' },
}

interface Plan {
  readonly systems: readonly SystemName[]
  readonly loads: readonly LoadShape[]
  readonly runs: number
  readonly lonely: number
  readonly cpuProfiles: string | null
  readonly admin: boolean
  readonly signal: AbortSignal
}

const IDLE_MS = 5000

const say = (line: string) => process.stderr.write(`${line}\n`)

export async function relay(args: readonly string[], signal: AbortSignal): Promise<number> {
  const given = new Arguments(args, options)
  if (given.flag('help')) {
    console.log(helpText('npm run -s bench -- relay [OPTION]…', options))
    return 0
  }
  const plan = planOf(given, signal)
  given.check()
  const result = await carryOut(plan)
  console.log(given.flag('json') ? JSON.stringify(result) : table(result, result.lonely))
  return 0
}

async function carryOut(plan: Plan) {
  const loadBefore = loadNow()
  await ensurePostfix(say) // also for its sender and sink
  if (plan.cpuProfiles !== null) await mkdir(plan.cpuProfiles, { recursive: true })
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder('bench'))
  const systems: System[] = []
  for (const name of plan.systems) {
    say(`starting ${name}`)
    const system = name === OURS ? startPosthouse(folder.path, plan, plan.signal) : startPostfix(folder.path)
    systems.push(stack.use(await system))
  }
  for (const system of systems) {
    say(`warming up ${system.name} with ${system.warmUp} messages`)
    await warmUp(system, plan.signal)
  }
  const idleCpuPercent: Record<string, number> = {}
  for (const system of systems) idleCpuPercent[system.name] = await measureIdle(system, IDLE_MS)
  const runs = await takeTurns(systems, plan)
  const lonely: Record<string, Lonely> = {}
  for (const system of plan.lonely > 0 ? systems : []) {
    plan.signal.throwIfAborted()
    lonely[system.name] = await measureLonely(system, plan.lonely)
  }
  const connections = plan.loads[0]?.connections ?? 'kept'
  return {
    ...summarize(runs),
    lonely,
    idleCpuPercent,
    runs,
    conditions: await conditionsOf(systems, connections, loadBefore),
  }
}

/** Within one run every system has its turn; who is first changes from run to run. */
async function takeTurns(systems: readonly System[], plan: Plan): Promise<Run[]> {
  const runs: Run[] = []
  for (let turn = 0; turn < plan.runs; turn++) {
    for (const load of plan.loads) {
      const order = turn % 2 === 0 ? systems : systems.toReversed()
      for (const system of order) {
        plan.signal.throwIfAborted()
        const measured = await measureLoad(system, without(systems, system), load, plan.signal)
        const messages = Math.max(500, load.sessions * 10)
        const run = { ...measured, ...(await measureAcceptance(system, { ...load, messages })) }
        say(lineOf(run))
        runs.push(run)
      }
    }
  }
  return runs
}

function without(systems: readonly System[], system: System): System[] {
  return systems.filter((one) => one !== system)
}

function planOf(given: Arguments, signal: AbortSignal): Plan {
  const only = given.text('only')
  const peers = (given.text('peers') ?? 'postfix').split(',').filter((name) => name !== '')
  for (const peer of peers) {
    if (!PEERS.some((name) => name === peer)) throw new UsageError(`--peers ${peer}: known are ${PEERS.join(', ')}`)
  }
  const messages = given.number('messages', null, 1, 10_000_000)
  const connections = given.flag('one-shot') ? 'one-shot' : 'kept'
  const sessions = given.numbers('sessions', [20, 200], 1, 250)
  const sizes = given.numbers('sizes', [4096, 65_536], 1, 8 * 1024 * 1024)
  const profiles = given.text('cpu-prof')
  return {
    systems:
      only === null ? [OURS, ...PEERS.filter((name) => peers.includes(name))] : [given.word('only', SYSTEMS, OURS)],
    loads: sizes.flatMap((size) => {
      const count = messages ?? (size > 16_384 ? 3000 : 8000)
      return sessions.map((number) => ({ size, sessions: number, messages: count, connections }) as const)
    }),
    runs: given.number('runs', 3, 1, 1000),
    lonely: given.number('lonely', 50, 0, 100_000),
    cpuProfiles: profiles === null ? null : resolve(profiles),
    admin: !given.flag('no-admin'),
    signal,
  }
}
