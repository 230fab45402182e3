// Runs a program so that Ctrl-C and SIGTERM end it in order: what it started is stopped and what it made is removed. A second
// signal ends it at once; the children are tethered to this process and end with it.

import { UsageError } from './command-line.ts'

const BY_SIGNAL = 130
const USAGE = 64

/** Answers with the exit status. */
export async function stoppable(program: (signal: AbortSignal) => Promise<number>): Promise<number> {
  const stop = new AbortController()
  const onSignal = () => {
    if (stop.signal.aborted) process.exit(BY_SIGNAL)
    process.stderr.write('stopping; once more to stop at once\n')
    stop.abort()
  }
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, onSignal)
  try {
    const status = await program(stop.signal)
    return stop.signal.aborted ? BY_SIGNAL : status
  } catch (error) {
    if (error instanceof UsageError) {
      process.stderr.write(`${error.message}\n(--help tells the options)\n`)
      return USAGE
    }
    process.stderr.write(`${stop.signal.aborted ? 'stopped' : (error as Error).stack}\n`)
    return stop.signal.aborted ? BY_SIGNAL : 1
  }
}
