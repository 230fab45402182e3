// `npm run -s bench -- COMMAND [OPTION]…`: one table of commands.

import { relay } from './bench/relay.ts'
import { UsageError } from './command-line.ts'
import { stoppable } from './stoppable.ts'

const COMMANDS: Record<string, (args: readonly string[], signal: AbortSignal) => Promise<number>> = { relay }

process.exitCode = await stoppable(async (signal) => {
  const [name = '', ...args] = process.argv.slice(2)
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (command === undefined)
    throw new UsageError(`usage: npm run -s bench -- ${Object.keys(COMMANDS).join('|')} [OPTION]…`)
  return command(args, signal)
})
