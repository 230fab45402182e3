// `npm run -s loadtest -- faults …`: the fault matrix, or one fault of it. Exit status 1 when a promise was broken or a bar
// missed, 2 when there is nothing to judge.

import { join, resolve } from 'node:path'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { Arguments, helpText, UsageError, type Options } from '../command-line.ts'
import { canEnclose, enclosed, isEnclosed } from '../faults/enclosure.ts'
import type { Fault } from '../faults/fault.ts'
import { passed } from '../faults/judge-fault.ts'
import { runMatrix } from '../faults/matrix.ts'
import { faultTable } from '../faults/report/table.ts'
import { summary, toJson } from '../faults/report/summary.ts'
import { writeDocument } from '../faults/report/write-document.ts'
import type { FaultResult } from '../faults/result.ts'
import { FULL, QUICK } from '../faults/run-fault.ts'
import { FAULTS } from '../faults/table.ts'

export const options: Options = {
  all: { value: '', help: 'every fault of the table' },
  only: { value: 'NAME,…', help: 'these faults' },
  list: { value: '', help: 'names and sentences of all faults; nothing is run' },
  quick: { value: '', help: 'a small load and short waits; with --all: each kind of fault once' },
  seed: { value: 'N', help: 'repeats a run: the same mail, the same victims (drawn)' },
  loopback: {
    value: '',
    help: 'process faults only, without root and namespaces (used by itself where these cannot be had)',
  },
  edges: { value: 'N', help: 'edges at the start (2)' },
  deliveries: { value: 'N', help: 'delivery nodes at the start (2)' },
  data: { value: 'DIR', help: 'folder of the clusters, which then stays, with its logs (a temporary one)' },
  'write-docs': { value: '', help: 'put the results into docs/faults.md' },
  json: { value: '', help: 'the last line is one JSON object' },
  help: { value: '', help: 'this' },
}

const ROOT = join(import.meta.dirname, '../..')
const MAIN = join(ROOT, 'loadtest/main.ts')

export async function faults(args: readonly string[], signal: AbortSignal): Promise<number> {
  const given = new Arguments(args, options)
  if (given.flag('help'))
    return tell(helpText('npm run -s loadtest -- faults --all | --only NAME,… [OPTION]…', options))
  const json = given.flag('json')
  if (given.flag('list'))
    return tell(json ? JSON.stringify({ faults: FAULTS.map(known) }) : FAULTS.map(line).join('\n'))
  const isolated = !given.flag('loopback') && canEnclose()
  const quick = given.flag('quick')
  const write = given.flag('write-docs')
  if (quick && write) throw new UsageError('faults: --quick is a small load: its results do not go into the documents')
  const chosen = choose(given.flag('all'), given.text('only'), quick, isolated)
  if (isolated && !isEnclosed()) {
    given.check()
    return enclosed(MAIN, ['faults', ...args])
  }
  await using folder = await temporaryFolder('faults')
  const results: FaultResult[] = []
  const data = given.text('data')
  const matrix = {
    faults: chosen,
    seed: given.number('seed', Math.floor(Math.random() * 2 ** 32), 0, 2 ** 32 - 1),
    pace: quick ? QUICK : FULL,
    oneRoom: quick,
    dir: data === null ? folder.path : resolve(data),
    edges: given.number('edges', 2, 1, 5),
    deliveries: given.number('deliveries', 2, 1, 5),
    signal,
    say,
    done(result: FaultResult) {
      results.push(result)
      process.stderr.write(`${faultTable(result)}\n\n`)
    },
  }
  given.check()
  try {
    await runMatrix(matrix)
  } finally {
    if (write && results.length > 0) await writeDocument(results, ROOT)
  }
  tell(json ? JSON.stringify(toJson(results, { one: chosen.length === 1 && !given.flag('all') })) : summary(results))
  if (results.length < chosen.length) return 2
  return results.every(passed) ? 0 : 1
}

function choose(all: boolean, only: string | null, quick: boolean, isolated: boolean): readonly Fault[] {
  if (all === (only !== null)) throw new UsageError('faults: give either --all or --only NAME (--list shows the names)')
  if (only === null) {
    return FAULTS.filter((fault) => (isolated || fault.needs === 'loopback') && (!quick || fault.quick === true))
  }
  return only.split(',').map((name) => {
    const fault = FAULTS.find((each) => each.name === name)
    if (fault === undefined) throw new UsageError(`faults: there is no fault called ${name} (--list shows the names)`)
    if (!isolated && fault.needs === 'namespaces')
      throw new UsageError(`faults: ${name} needs namespaces, and these need root`)
    return fault
  })
}

const known = ({ name, kind, what, needs, quick = false }: Fault) => ({ name, kind, what, needs, quick })
const line = ({ name, kind, what }: Fault) => `${name.padEnd(28)}${kind.padEnd(9)}${what}`

function tell(text: string): number {
  console.log(text)
  return 0
}

function say(text: string): void {
  process.stderr.write(`faults: ${text}\n`)
}
