// Process 1 of a container: its first argument says what runs, the others are that program's own. It becomes that program in
// this very process, so that signals and exit status are the program's.
//
// Exit status 64 for an argument that names nothing; 128+n for a signal to stop that came before the program listened to it:
// without anybody who listens the kernel keeps it from a process 1.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const root = join(import.meta.dirname, '../..')

const PROGRAMS: Readonly<Record<string, string>> = {
  edge: 'services/edge/main.ts',
  delivery: 'services/delivery/main.ts',
  admin: 'services/admin/main.ts',
  posthouse: 'services/cli/main.ts',
}

const USAGE = `usage: ${Object.keys(PROGRAMS).join(' | ')}, and its arguments; for example: edge --config /etc/posthouse/edge.yaml`

for (const [signal, status] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.on(signal, () => {
    if (process.listenerCount(signal) === 1) process.exit(status)
  })
}

const [name, ...args] = process.argv.slice(2)
if (name === '--help' || name === '-h') process.stdout.write(`${USAGE}\n`)
else if (name !== undefined && Object.hasOwn(PROGRAMS, name)) await become(PROGRAMS[name] as string)
else {
  process.stderr.write(name === undefined ? `which service? ${USAGE}\n` : `${name}: no such service; ${USAGE}\n`)
  process.exitCode = 64
}

async function become(program: string): Promise<void> {
  const file = join(root, program)
  process.argv = [process.execPath, file, ...args]
  await import(pathToFileURL(file).href)
}
