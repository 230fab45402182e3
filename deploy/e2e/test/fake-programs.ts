// kubectl and helm in a folder of their own, which is put first into PATH: no cluster is needed to see what a run asks for, and what it
// makes of the answers.

import { chmod, readFile, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'

export interface Rule {
  /** Regular expression that the call, as `kubectl get nodes …`, must fit. */
  readonly call: string
  /** Text, or a value to be told as JSON. */
  readonly says?: unknown
  readonly complains?: string
  readonly status?: number
  /** It does not end by itself. */
  readonly hangs?: boolean
  /** Fits only when this mark is set, or is not. */
  readonly when?: string
  readonly unless?: string
  readonly sets?: string
  readonly clears?: string
}

export interface Call {
  readonly line: string
  readonly input: string
}

export class FakePrograms {
  readonly #folder: string
  readonly #path: string | undefined

  private constructor(folder: string, path: string | undefined) {
    this.#folder = folder
    this.#path = path
  }

  /** Into an empty folder; from now on they are what this process and its children find. */
  static async put(folder: string, rules: readonly Rule[]): Promise<FakePrograms> {
    await writeFile(join(folder, 'rules.json'), JSON.stringify(rules))
    await writeFile(join(folder, 'calls'), '')
    const program = join(import.meta.dirname, 'fake-program.ts')
    for (const name of ['kubectl', 'helm']) {
      const file = join(folder, name)
      await writeFile(file, `#!/bin/sh\nexec "${process.execPath}" "${program}" "${folder}" ${name} "$@"\n`)
      await chmod(file, 0o755)
    }
    const before = process.env.PATH
    process.env.PATH = [folder, before].join(delimiter)
    return new FakePrograms(folder, before)
  }

  async calls(): Promise<readonly Call[]> {
    const text = await readFile(join(this.#folder, 'calls'), 'utf8')
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Call)
  }

  /** Lines of the calls that fit. */
  async lines(pattern: RegExp): Promise<readonly string[]> {
    return (await this.calls()).flatMap(({ line }) => (pattern.test(line) ? [line] : []))
  }

  takeAway(): void {
    process.env.PATH = this.#path
  }
}
