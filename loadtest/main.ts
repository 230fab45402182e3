// `npm run -s loadtest -- [COMMAND] [OPTION]…`: one table of commands; without a name it is `load`.

import { UsageError } from './command-line.ts'
import { faults } from './commands/faults.ts'
import { load } from './commands/load.ts'
import { soak } from './commands/soak.ts'
import { stoppable } from './stoppable.ts'

const COMMANDS: Record<string, (args: readonly string[], signal: AbortSignal) => Promise<number>> = {
  load,
  faults,
  soak,
}

const [first, ...others] = process.argv.slice(2)
const named = first !== undefined && Object.hasOwn(COMMANDS, first)
const command = (named ? COMMANDS[first] : load) ?? load
process.exitCode = await stoppable(async (signal) => {
  if (first !== undefined && !named && !first.startsWith('-')) {
    throw new UsageError(`no command called ${first}; there are: ${Object.keys(COMMANDS).join(', ')}`)
  }
  return command(named ? others : process.argv.slice(2), signal)
})
