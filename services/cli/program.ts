// From the words of the command line to what is printed and the exit status. Standard output holds the answer, nothing else;
// complaints and prompts go to standard error, each of one line.
import { version } from '@posthouse/runtime/version'
import { parse } from './arguments.ts'
import type { Command } from './command.ts'
import { commands } from './commands.ts'
import { helpOf, overview } from './help.ts'
import { failed, STATUS, type Result, type Status } from './status.ts'
import type { World } from './world.ts'

export async function run(args: readonly string[], world: World): Promise<Status> {
  const [first] = args
  if (first === '--version') return print(world, version)
  if (first === undefined) {
    world.errors.write(overview(commands))
    return STATUS.usage
  }
  if (first === '--help' || first === '-h' || first === 'help') return print(world, overview(commands))
  const command = commands.find(({ name }) => name === args.slice(0, words(name)).join(' '))
  if (command === undefined) return withoutVerb(args, world)
  const parsed = parse(command, args.slice(words(command.name)))
  switch (parsed.is) {
    case 'help':
      return print(world, helpOf(command))
    case 'failed':
      return show(world, parsed, args.includes('--json'))
    case 'run':
      return show(world, await command.run(parsed.given, world), parsed.json)
  }
}

/** A noun and a verb, or one word that says it all. */
function words(name: string): number {
  return name.split(' ').length
}

function withoutVerb([noun = '', verb]: readonly string[], world: World): Status {
  const verbs = commands.filter(({ name }) => name.startsWith(`${noun} `))
  if (verbs.length > 0 && (verb === '--help' || verb === '-h')) return print(world, overview(verbs))
  const known = (verbs.length > 0 ? verbs : commands).map(({ name }: Command) => name).join(', ')
  const what = [noun, ...(verbs.length > 0 && verb !== undefined ? [verb] : [])].join(' ')
  return show(world, failed('usage', `${what}: no such command; there are ${known}`), false)
}

function show(world: World, result: Result, json: boolean): Status {
  switch (result.is) {
    case 'streamed':
      return STATUS.done
    case 'answer': {
      const text = json ? JSON.stringify(result.json) : result.text
      return text === '' ? STATUS.done : print(world, text)
    }
    case 'failed':
      if (json) world.output.write(`${JSON.stringify(result.json ?? { errors: result.lines })}\n`)
      for (const line of result.lines) world.errors.write(`posthouse: ${line}\n`)
      return result.status
  }
}

function print(world: World, text: string): 0 {
  world.output.write(text.endsWith('\n') ? text : `${text}\n`)
  return STATUS.done
}
