// A Postfix of the benchmark's own: its settings, queue and data lie in one folder, it listens on a high port of loopback,
// relays everything to the sink, and never sees the machine's /etc/postfix. It fsyncs each message before its 250, as always.

import { chmod, chown, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '@posthouse/testkit/free-port'
import { startGuarded } from './guarded.ts'
import type { System } from './system.ts'
import { MASTER, postfixVersion } from './postfix-package.ts'
import { listening, SmtpSink } from './smtp-sink.ts'

/** Enough smtpd processes for every session of the largest load, and the default number of connections to the sink. */
export const PROCESS_LIMIT = 260
export const DESTINATION_CONCURRENCY = 20
const WARM_UP = 1000

export async function startPostfix(folder: string): Promise<System> {
  const home = join(folder, 'postfix')
  await chmod(folder, 0o711) // Postfix goes through it as its own user
  await mkdir(home)
  const port = await freePort()
  const sink = await SmtpSink.start(folder, 'postfix')
  try {
    await layOut(home, mainCf(home, sink.port), masterCf(port))
    const master = await startGuarded(MASTER, ['-c', join(home, 'etc'), '-d'])
    await listening(port, master)
    return {
      name: 'postfix',
      version: await postfixVersion(),
      host: '127.0.0.1',
      port,
      sink,
      warmUp: WARM_UP,
      groups: async () => ({ postfix: [master.pid] }),
      async [Symbol.asyncDispose]() {
        await master.stop()
        await sink[Symbol.asyncDispose]()
      },
    }
  } catch (error) {
    await sink[Symbol.asyncDispose]()
    throw error
  }
}

export function mainCf(home: string, sinkPort: number): string {
  return `compatibility_level = 3.6
queue_directory = ${home}/queue
data_directory = ${home}/data
myhostname = postfix.bench.example
mydestination =
local_transport = error:there is no local delivery
local_recipient_maps =
alias_maps =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtpd_recipient_restrictions = permit_mynetworks, reject
smtpd_peername_lookup = no
disable_dns_lookups = yes
relayhost = [127.0.0.1]:${sinkPort}
smtp_tls_security_level = none
in_flow_delay = 0
default_process_limit = ${PROCESS_LIMIT}
default_destination_concurrency_limit = ${DESTINATION_CONCURRENCY}
initial_destination_concurrency = ${DESTINATION_CONCURRENCY}
maillog_file =
`
}

/** Nothing runs in a chroot: the folder has no copies of the system's files. */
export function masterCf(port: number): string {
  return `127.0.0.1:${port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
`
}

const PRIVATE = [
  'incoming',
  'active',
  'bounce',
  'defer',
  'deferred',
  'flush',
  'hold',
  'corrupt',
  'trace',
  'saved',
  'private',
]

async function layOut(home: string, main: string, master: string): Promise<void> {
  const owner = await idOf('/etc/passwd', 'postfix')
  const dropGroup = await idOf('/etc/group', 'postdrop')
  const make = async (path: string, mode: number, group = 0, user = owner) => {
    await mkdir(join(home, path), { mode })
    await chown(join(home, path), user, group)
  }
  await mkdir(join(home, 'etc'))
  await mkdir(join(home, 'queue'))
  await make('data', 0o700)
  for (const name of PRIVATE) await make(`queue/${name}`, 0o700)
  await make('queue/public', 0o710, dropGroup)
  await make('queue/maildrop', 0o730, dropGroup)
  await make('queue/pid', 0o755, 0, 0)
  await writeFile(join(home, 'etc/main.cf'), main)
  await writeFile(join(home, 'etc/master.cf'), master)
}

/** The number of a user or group; both files have it in the third field. */
async function idOf(file: string, name: string): Promise<number> {
  const lines = (await readFile(file, 'utf8')).split('\n').map((line) => line.split(':'))
  const id = lines.find((fields) => fields[0] === name)?.[2]
  if (id === undefined) throw new Error(`${file} has no ${name}: is Postfix installed?`)
  return Number(id)
}
