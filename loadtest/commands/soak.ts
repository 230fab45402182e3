// `npm run -s loadtest -- soak --minutes N --seed S`: faults of every kind drawn one after the other for a long time, under one
// load; then the ledger of all of it, and whether anything has grown that should not.

import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { Arguments, helpText, UsageError, type Options } from '../command-line.ts'
import { compare, takeCensus, USUAL_LIMITS, type Census } from '../faults/census.ts'
import { canEnclose, enclosed, isEnclosed } from '../faults/enclosure.ts'
import type { Fault } from '../faults/fault.ts'
import { passed } from '../faults/judge-fault.ts'
import { faultTable } from '../faults/report/table.ts'
import { toJson } from '../faults/report/summary.ts'
import { FULL, runFault } from '../faults/run-fault.ts'
import { Stage } from '../faults/stage.ts'
import { MIXABLE } from '../faults/table.ts'

export const options: Options = {
  minutes: { value: 'N', help: 'how long faults are drawn, after the warm-up (30)' },
  rate: { value: 'N', help: 'messages per second (300)' },
  seed: { value: 'N', help: 'repeats a run: the same mail, the same faults in the same order (drawn)' },
  data: { value: 'DIR', help: 'folder of the cluster, which then stays, with its logs (a temporary one)' },
  json: { value: '', help: 'the last line is one JSON object' },
  help: { value: '', help: 'this' },
}

const MAIN = join(import.meta.dirname, '../main.ts')
const WARM_UP_MS = 60_000
/** Mail flows undisturbed for this long between two faults. */
const BETWEEN_MS = 10_000
const DRAIN_MS = 600_000
/** Removed mail stays in the streams for some minutes (libs/queue/jetstream/held-removals.ts). */
const HELD_MS = 10 * 60_000
const LOOK_MS = 15_000
const NODES = 3
const DISK_MIB = 4096
const NO_BAR = { gapMs: null, duplicates: true, why: 'some of the faults stop acceptance by their nature' } as const

export async function soak(args: readonly string[], signal: AbortSignal): Promise<number> {
  const given = new Arguments(args, options)
  if (given.flag('help')) {
    console.log(helpText('npm run -s loadtest -- soak --minutes N [OPTION]…', options))
    return 0
  }
  const minutes = given.number('minutes', 30, 1, 100_000)
  const seed = given.number('seed', Math.floor(Math.random() * 2 ** 32), 0, 2 ** 32 - 1)
  const pace = { ...FULL, rate: given.number('rate', 300, 1, 100_000), sessions: 40, drainMs: DRAIN_MS }
  const data = given.text('data')
  given.check()
  if (!canEnclose()) throw new UsageError('soak: the faults need namespaces, and these need root')
  if (!isEnclosed()) return enclosed(MAIN, ['soak', ...args])
  await using folder = await temporaryFolder('soak')
  const dir = join(data === null ? folder.path : resolve(data), 'room')
  await using stage = await Stage.open({ dir, edges: NODES, deliveries: NODES, diskMiB: DISK_MIB, signal, say })
  const running = { stage, seed, pace, signal, say }
  say(`warming up; seed ${seed}`)
  await runFault(calm(WARM_UP_MS), running)
  const before = await censusOf(stage)
  const result = await runFault(draws(minutes * 60_000), running)
  const limits = {
    ...USUAL_LIMITS,
    recipients: result.accepted + result.unknown,
    // A fault may strand a large body on its way in; the owner sweeps it a day later.
    bodies: result.marks.filter(({ kind }) => kind === 'hit').length,
  }
  say('waiting until what is held back is gone')
  const deadline = performance.now() + HELD_MS
  let after = await censusOf(stage)
  let grown = compare(before, after, limits)
  while (grown.length > 0 && performance.now() < deadline && !signal.aborted) {
    await sleep(LOOK_MS, undefined, { signal })
    after = await censusOf(stage)
    grown = compare(before, after, limits)
  }
  process.stderr.write(
    `${faultTable(result)}\n${[...grown, grown.length === 0 ? 'nothing has grown' : ''].join('\n')}\n`,
  )
  if (given.flag('json')) console.log(JSON.stringify({ ...toJson([result], { one: true }), before, after, grown }))
  return passed(result) && grown.length === 0 ? 0 : 1
}

function calm(ms: number): Fault {
  const what = 'nothing is broken'
  return { name: 'calm', kind: 'process', what, needs: 'loopback', bars: NO_BAR, run: (scene) => scene.sleep(ms) }
}

function draws(ms: number): Fault {
  return {
    name: 'soak',
    kind: 'change',
    what: 'faults of every kind, one after the other, for a long time',
    needs: 'namespaces',
    bars: NO_BAR,
    async run(scene) {
      const deadline = performance.now() + ms
      while (performance.now() < deadline) {
        const fault = scene.pick(MIXABLE)
        scene.mark('note', [], fault.name)
        await fault.run(scene)
        await scene.flowing(100)
        await scene.sleep(BETWEEN_MS)
      }
    },
  }
}

function censusOf({ room }: Stage): Promise<Census> {
  const running = room.nodes().filter(({ kind }) => kind !== 'balancer')
  return takeCensus({
    queueFile: room.queueFile,
    processes: running.flatMap(({ name, pid }) => (pid === undefined ? [] : [{ name, pid }])),
    natsMonitors: room.nodes('nats').flatMap(({ http }) => http ?? []),
  })
}

function say(text: string): void {
  process.stderr.write(`soak: ${text}\n`)
}
