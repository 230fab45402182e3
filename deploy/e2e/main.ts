// `npm run -s e2e -- …`: the chart on a real cluster, under load, step by step. Exit status 0: every promise and bar held; 1: one did
// not, or the run failed; 64: wrong command line; 130: stopped.

import { join } from 'node:path'
import { HELP, parseCommandLine } from './options.ts'
import { run } from './run.ts'
import { summary } from './report/summary.ts'
import { writeResults } from './report/write.ts'
import { chosen, STEPS } from './steps/table.ts'

const root = join(import.meta.dirname, '../..')
const USAGE = 64
const BY_SIGNAL = 130

const say = (line: string) => process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`)

async function main(): Promise<number> {
  const names = STEPS.map(({ name }) => name)
  const line = parseCommandLine(process.argv.slice(2), root, names)
  if (line.is === 'wrong') {
    for (const error of line.errors) process.stderr.write(`${error}\n`)
    process.stderr.write('(--help tells the options)\n')
    return USAGE
  }
  if (line.is === 'help') {
    process.stdout.write(HELP)
    return 0
  }
  if (line.is === 'list') {
    const width = Math.max(...names.map(({ length }) => length))
    for (const { name, what } of STEPS) process.stdout.write(`${name.padEnd(width)}  ${what}\n`)
    return 0
  }
  const { options } = line
  const stop = stopped()
  const result = await run({ options, steps: chosen(STEPS, options.only), root, signal: stop, say })
  if (options.writeDocs) await writeResults(result, root)
  process.stdout.write(options.json ? `${JSON.stringify(result)}\n` : `${summary(result)}\n`)
  return stop.aborted ? BY_SIGNAL : result.passed ? 0 : 1
}

/** The first signal ends the run in order: everything is put back. The second ends it at once. */
function stopped(): AbortSignal {
  const stop = new AbortController()
  const onSignal = () => {
    if (stop.signal.aborted) process.exit(BY_SIGNAL)
    say('stopping: everything is put back first; once more to stop at once and leave it as it is')
    stop.abort()
  }
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, onSignal)
  return stop.signal
}

try {
  process.exitCode = await main()
} catch (error) {
  process.stderr.write(`e2e: ${(error as Error).message}\n`)
  process.exitCode = 1
}
