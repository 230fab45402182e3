// A network namespace of one node: its own interface on the room's bridge, its own firewall, and programs that run in it.

import { BRIDGE, NETWORK_BITS } from './addresses.ts'
import { run } from './run-program.ts'

export async function makeNamespace(name: string, address: string): Promise<void> {
  const outer = `v-${name}`
  await run('ip', ['netns', 'add', name])
  await run('ip', ['link', 'add', outer, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name])
  await run('ip', ['link', 'set', outer, 'master', BRIDGE, 'up'])
  await run('ip', ['-n', name, 'link', 'set', 'lo', 'up'])
  await run('ip', ['-n', name, 'address', 'add', `${address}/${NETWORK_BITS}`, 'dev', 'eth0'])
  await run('ip', ['-n', name, 'link', 'set', 'eth0', 'up'])
}

/** Once nothing runs in it any more. */
export async function removeNamespace(name: string): Promise<void> {
  // The kernel takes a namespace apart in its own time; a successor of the same name needs the interface's name now.
  await run('ip', ['link', 'delete', `v-${name}`])
  await run('ip', ['netns', 'delete', name])
}

/**
 * The command line of a program in a namespace. Of all that `ip netns exec` does it enters the network only: with mounts of
 * its own a program would keep a disk alive that has been taken away. The process id is the program's.
 */
export function inNamespace(name: string, program: string, args: readonly string[]): [string, string[]] {
  return ['nsenter', [`--net=/run/netns/${name}`, '--', program, ...args]]
}

/** Replaces the namespace's rules on what comes in (the room's own, if no name is given), at once and as a whole. */
export async function setIncomingRules(name: string | undefined, rules: readonly string[]): Promise<void> {
  const [program, args] =
    name === undefined ? ['iptables-restore', ['-w']] : inNamespace(name, 'iptables-restore', ['-w'])
  await run(program, args, ['*filter', ':INPUT ACCEPT [0:0]', ...rules, 'COMMIT', ''].join('\n'))
}
