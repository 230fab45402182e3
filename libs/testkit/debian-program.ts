// A program that a test needs from a Debian package: where it is, after it has been installed if it was nowhere.

import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { install } from './apt.ts'

export async function debianProgram(program: string, pack: string, say: (line: string) => void): Promise<string> {
  const there = await findProgram(program)
  if (there !== undefined) return there
  say(`${program} is missing: installing ${pack} from Debian`)
  await install([pack])
  const installed = await findProgram(program)
  if (installed === undefined) throw new Error(`the package ${pack} has not brought ${program}`)
  return installed
}

/** Root's programs are not on everybody's PATH. */
export async function findProgram(program: string): Promise<string | undefined> {
  for (const folder of [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/bin', '/sbin', '/bin']) {
    const path = join(folder, program)
    const runs = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (folder !== '' && runs) return path
  }
  return undefined
}
