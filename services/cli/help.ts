// The help texts, made from the tables of the commands.
import type { Command, Option } from './command.ts'

const COMMON: Readonly<Record<string, Option>> = {
  json: { help: 'the answer as one line of JSON' },
  help: { help: 'this text' },
}

export function overview(commands: readonly Command[]): string {
  return [
    'usage: posthouse COMMAND [OPTION]…',
    '',
    ...columns(commands.map((command) => [usage(command), command.summary])),
    '',
    'posthouse COMMAND --help tells more; posthouse --version tells the version. Every command takes --json.',
    'Exit status: 0 done, 1 cannot be done, 64 wrong command line, 69 the queue or the edge does not answer, 78 wrong settings.',
    '',
  ].join('\n')
}

export function helpOf(command: Command): string {
  const rows = { ...command.options, ...COMMON, ...command.options }
  const options = Object.entries(rows).map(([name, { value, repeated, help }]) => [
    `--${name}${value === undefined ? '' : ` ${value}`}`,
    repeated ? `${help}; may be repeated` : help,
  ])
  return [
    `usage: posthouse ${usage(command)} [OPTION]…`,
    '',
    command.summary,
    '',
    ...columns(options),
    ...(command.notes === undefined ? [] : ['', ...command.notes]),
    '',
  ].join('\n')
}

function usage({ name, operands }: Command): string {
  return [name, ...operands].join(' ')
}

function columns(rows: readonly (readonly string[])[]): string[] {
  const width = Math.max(...rows.map(([left = '']) => left.length))
  return rows.map(([left = '', right = '']) => `  ${left.padEnd(width)}  ${right}`)
}
