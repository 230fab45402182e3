// Reads options and says everything that is wrong with them at once, each with what would be right.

import { parseArgs } from 'node:util'

export interface OptionText {
  /** What the value is: `N`, `HOST:PORT`, a list of words; '' = the option takes none. */
  readonly value: string
  readonly help: string
  /** May be given more than once. */
  readonly many?: true
}

export type Options = Readonly<Record<string, OptionText>>

export class UsageError extends Error {}

export class Arguments {
  readonly #values: Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>
  readonly #wrong: string[] = []
  readonly positionals: readonly string[]

  constructor(args: readonly string[], options: Options) {
    const shapes = Object.entries(options).map(([name, option]) => {
      const type = option.value === '' ? ('boolean' as const) : ('string' as const)
      return [name, { type, multiple: option.many === true }] as const
    })
    try {
      const parsed = parseArgs({ args: [...args], options: Object.fromEntries(shapes), allowPositionals: true })
      this.#values = parsed.values
      this.positionals = parsed.positionals
    } catch (error) {
      throw new UsageError((error as Error).message)
    }
  }

  flag(name: string): boolean {
    return this.#values[name] === true
  }

  text(name: string): string | null {
    const value = this.#values[name]
    return typeof value === 'string' ? value : null
  }

  /** Of an option that may be given more than once. */
  texts(name: string): readonly string[] {
    const values = this.#values[name]
    return Array.isArray(values) ? values.map(String) : []
  }

  /** A whole number in the range, or what to take when it is not given. */
  number<T>(name: string, absent: T, lowest: number, highest: number): number | T {
    const text = this.text(name)
    if (text === null) return absent
    const value = Number(text)
    if (/^\d+$/.test(text) && value >= lowest && value <= highest) return value
    this.#wrong.push(`--${name} ${text}: a whole number from ${lowest} to ${highest} is wanted`)
    return absent
  }

  numbers(name: string, absent: readonly number[], lowest: number, highest: number): readonly number[] {
    const text = this.text(name)
    if (text === null) return absent
    const values = text.split(',').map(Number)
    if (values.every((value) => Number.isInteger(value) && value >= lowest && value <= highest)) return values
    this.#wrong.push(`--${name} ${text}: whole numbers from ${lowest} to ${highest} with commas between are wanted`)
    return absent
  }

  word<T extends string>(name: string, words: readonly T[], absent: T): T {
    const text = this.text(name)
    if (text === null) return absent
    const found = words.find((word) => word === text)
    if (found !== undefined) return found
    this.#wrong.push(`--${name} ${text}: one of ${words.join(', ')} is wanted`)
    return absent
  }

  /** To be called when everything has been read. */
  check(): void {
    if (this.#wrong.length > 0) throw new UsageError(this.#wrong.join('\n'))
  }
}

export function helpText(usage: string, options: Options): string {
  const rows = Object.entries(options).map(
    ([name, option]) => [`--${name} ${option.value}`.trim(), option.help] as const,
  )
  const width = Math.max(...rows.map(([left]) => left.length))
  return [usage, '', ...rows.map(([left, help]) => `  ${left.padEnd(width)}  ${help}`)].join('\n')
}
