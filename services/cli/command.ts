// One verb of the command line: what it takes, what it does. Help and parsing follow from the table of its options.
import type { Result } from './status.ts'
import type { World } from './world.ts'

export interface Option {
  /** What follows it ("FILE"); absent for a switch. */
  readonly value?: string
  /** May be given more than once. */
  readonly repeated?: true
  readonly help: string
}

export interface Command {
  /** "user add" */
  readonly name: string
  /** One line, for the list of commands. */
  readonly summary: string
  /** What follows the name besides options ("NAME"): each is required. */
  readonly operands: readonly string[]
  /** A row for `json` says what that means here. */
  readonly options: Readonly<Record<string, Option>>
  /** More that `--help` says. */
  readonly notes?: readonly string[]
  run(given: Given, world: World): Promise<Result>
}

/** The command line of one command, parsed: an option that is not there is undefined or empty. */
export interface Given {
  readonly operands: readonly string[]
  value(option: string): string | undefined
  values(option: string): readonly string[]
  has(option: string): boolean
}
