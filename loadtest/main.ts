// `npm run -s loadtest -- [COMMAND] [OPTION]…`: one table of commands; without a name it is `load`. Only the one that is asked for
// is read: where a few of the project's files lie, as in an image, the others may be missing.

import { UsageError } from './command-line.ts'
import { stoppable } from './stoppable.ts'

type Command = (args: readonly string[], signal: AbortSignal) => Promise<number>

const load = async (): Promise<Command> => (await import('./commands/load.ts')).load

const COMMANDS: Record<string, () => Promise<Command>> = {
  load,
  faults: async () => (await import('./commands/faults.ts')).faults,
  soak: async () => (await import('./commands/soak.ts')).soak,
  remote: async () => (await import('./commands/remote.ts')).remote,
  'remote-control': async () => (await import('./remote/remote-control.ts')).remoteControl,
}

const [first, ...others] = process.argv.slice(2)
const named = first !== undefined && Object.hasOwn(COMMANDS, first)
process.exitCode = await stoppable(async (signal) => {
  if (first !== undefined && !named && !first.startsWith('-')) {
    throw new UsageError(`no command called ${first}; there are: ${Object.keys(COMMANDS).join(', ')}`)
  }
  const command = await ((named ? COMMANDS[first] : load) ?? load)()
  return command(named ? others : process.argv.slice(2), signal)
})
