// Where a new password comes from: a file, the terminal (typed twice, not shown) or standard input. Never the command line,
// which every process on the machine can read.
import { readFile } from 'node:fs/promises'
import type { Given, Option } from './command.ts'
import { typedInSecret } from './hidden-input.ts'
import { failed, isFailed, type Failed } from './status.ts'
import type { Input, World } from './world.ts'

const LONGEST = 1024

export const passwordOptions = {
  'password-file': { value: 'FILE', help: 'file that holds the password, on one line' },
} satisfies Readonly<Record<string, Option>>

export const passwordNotes = [
  'The password is asked for on a terminal, else it is read from standard input, one line; or --password-file names its file.',
]

export async function newPassword(given: Given, name: string, world: World): Promise<string | Failed> {
  const file = given.value('password-file')
  const found =
    file !== undefined ? await fromFile(file) : world.input.isTTY ? await typed(name, world) : await piped(world.input)
  return isFailed(found) ? found : checked(found)
}

async function fromFile(file: string): Promise<string | Failed> {
  try {
    return oneLine(await readFile(file, 'utf8'))
  } catch (error) {
    return failed('failed', `--password-file: ${(error as Error).message}`)
  }
}

async function typed(name: string, { input, errors }: World): Promise<string | Failed> {
  const first = await typedInSecret(input, errors, `New password of ${name}: `)
  const second = first === undefined ? undefined : await typedInSecret(input, errors, 'Once more: ')
  if (first === undefined || second === undefined) return failed('failed', 'no password was given: nothing is changed')
  return first === second ? first : failed('failed', 'the two passwords are not the same: nothing is changed')
}

async function piped(input: Input): Promise<string | Failed> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of input) {
    const bytes = Buffer.from(chunk as Uint8Array)
    chunks.push(bytes)
    length += bytes.length
    if (length > 8 * LONGEST) break // it will be refused whatever follows
  }
  return oneLine(Buffer.concat(chunks).toString('utf8'))
}

function oneLine(text: string): string {
  return text.replace(/\r?\n$/, '')
}

function checked(password: string): string | Failed {
  if (password === '') return failed('failed', 'the password is empty: nothing is changed')
  if (Buffer.byteLength(password) > LONGEST) return failed('failed', `the password is longer than ${LONGEST} bytes`)
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\x00-\x1f\x7f]/.test(password))
    return failed('failed', 'the password is more than one line, or has control characters')
  return password
}
