// Sees to it that the programs which the machine room is made of are there, and installs the Debian packages that bring them.

import { install } from '@posthouse/testkit/apt'
import { findProgram } from '@posthouse/testkit/debian-program'

/** The program that each brings. */
const BRINGS = {
  iproute2: 'ip',
  iptables: 'iptables',
  haproxy: 'haproxy',
  faketime: 'faketime',
  strace: 'strace',
  'util-linux': 'unshare',
  e2fsprogs: 'mkfs.ext4',
} as const

export type DebianPackage = keyof typeof BRINGS

export async function ensurePackages(names: readonly DebianPackage[], say: (line: string) => void): Promise<void> {
  const lacking = await absent(names)
  if (lacking.length === 0) return
  say(`missing: ${lacking.join(', ')}; installing from Debian`)
  await install(lacking)
  const still = await absent(names)
  if (still.length > 0) throw new Error(`the packages have not brought ${still.map((name) => BRINGS[name]).join(', ')}`)
}

async function absent(names: readonly DebianPackage[]): Promise<DebianPackage[]> {
  const lacks = async (name: DebianPackage) => (await findProgram(BRINGS[name])) === undefined
  const verdicts = await Promise.all(names.map(lacks))
  return names.filter((_, index) => verdicts[index])
}
