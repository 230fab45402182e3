// Parses what follows the name of a command, by the command's own table of options.
import { parseArgs } from 'node:util'
import type { Command, Given } from './command.ts'
import { failed, type Failed } from './status.ts'

export type Parsed =
  | { readonly is: 'run'; readonly given: Given; readonly json: boolean }
  | { readonly is: 'help' }
  | (Failed & { readonly json?: object })

export function parse(command: Command, args: readonly string[]): Parsed {
  const options: Record<string, { type: 'string' | 'boolean'; multiple: boolean; short?: string }> = {
    json: { type: 'boolean', multiple: false },
    help: { type: 'boolean', multiple: false, short: 'h' },
  }
  for (const [name, { value, repeated }] of Object.entries(command.options)) {
    options[name] = { type: value === undefined ? 'boolean' : 'string', multiple: repeated === true }
  }
  let values: Record<string, string | boolean | (string | boolean)[] | undefined>
  let operands: string[]
  try {
    ;({ values, positionals: operands } = parseArgs({ args: [...args], options, allowPositionals: true }))
  } catch (error) {
    return wrong(command, (error as Error).message.split(/\. |\n/)[0] ?? 'wrong options')
  }
  if (values['help'] === true) return { is: 'help' }
  const missing = command.operands[operands.length]
  if (missing !== undefined) return wrong(command, `${missing} is missing`)
  const extra = operands[command.operands.length]
  if (extra !== undefined) return wrong(command, `${JSON.stringify(extra)} is one argument too many`)
  const empty = Object.entries(values).find(([, value]) => [value].flat().includes(''))
  if (empty !== undefined) return wrong(command, `--${empty[0]} must not be empty`)
  const given: Given = {
    operands,
    value: (option) => [values[option]].flat().find((value) => typeof value === 'string'),
    values: (option) => [values[option]].flat().filter((value) => typeof value === 'string'),
    has: (option) => values[option] !== undefined,
  }
  return { is: 'run', given, json: values['json'] === true }
}

function wrong(command: Command, reason: string): Failed {
  return failed('usage', `${command.name}: ${reason}; posthouse ${command.name} --help shows how`)
}
