// Starts a program that changes its user, tied to the life of this process all the same. The kernel forgets the tie of a process
// that changes its user, so a shell keeps it: when this process dies, even by kill -9, the shell is told and ends the program.

import { startChild, type Child } from '@posthouse/testkit/child-process'

/** The program leads a process group of its own, as Postfix's master wants it. */
const SHELL = 'setsid "$@" & child=$!; trap "kill $child" TERM INT; wait $child; wait $child'

/** The child is the shell; the program is its only descendant. */
export function startGuarded(program: string, args: readonly string[], output?: string): Promise<Child> {
  const options = output === undefined ? {} : { output }
  return startChild('sh', ['-c', SHELL, 'sh', program, ...args], { ...options, whenParentDies: 'SIGTERM' })
}
