// `npm start`: a whole cluster on this machine, supervised until Ctrl-C. Standard output holds the JSON object of --json or
// the welcome, nothing else; every other line goes to standard error. Exit status: 0 stopped as asked, 1 could not
// start, 64 wrong command line, 130 a second Ctrl-C.

import { checkoutRoot } from '@posthouse/testkit/tool'
import { clusterFacts, removeClusterFile, writeClusterFile } from './cluster-file.ts'
import { claimFolder } from './data-folder.ts'
import { ensureNatsServer } from './nats-server.ts'
import { HELP, parseCommandLine, type Options } from './options.ts'
import { HOST, portsAbove, portsInUse } from './ports.ts'
import { programs } from './program.ts'
import { keepSecrets } from './secrets.ts'
import { Supervisor } from './supervisor.ts'
import { welcome } from './welcome.ts'

// Who read the lines may be gone; the cluster goes on.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
const say = (line: string) => process.stderr.write(`posthouse: ${line}\n`)
/** Ctrl-C reaches this process from the terminal and again by way of npm: those are one. */
const SAME_SIGNAL_MS = 1000

async function run(options: Options): Promise<void> {
  const { dir, nodes, basePort, smarthost, restart, admin, json } = options
  const withMailbox = smarthost === undefined
  await claimFolder(dir, nodes, say)
  const ports = portsAbove(basePort, nodes, admin)
  const taken = await portsInUse(ports, withMailbox)
  if (taken.length > 0) {
    const more = taken.length > 3 ? ` and ${taken.length - 3} more` : ''
    throw new Error(`${taken.slice(0, 3).join('; ')}${more}: choose other ports with --base-port (now ${basePort})`)
  }
  const nats = await ensureNatsServer(say)
  const secrets = await keepSecrets(dir)
  const cluster = { nodes, ports, secrets, smarthost: smarthost ?? `${HOST}:${ports.mailboxSmtp}` }
  let ready = false
  const supervisor = new Supervisor(await programs(dir, cluster, nats.path, withMailbox), {
    dir,
    restart,
    say,
    env: childEnvironment(process.env),
    changed: () => ready && writeClusterFile(dir, facts()),
  })
  const facts = () => clusterFacts(ports, secrets, withMailbox, supervisor.pids)
  stopOnSignals(dir, supervisor)
  removeClusterFile(dir)
  try {
    await supervisor.start()
  } catch (error) {
    await supervisor.stop()
    throw error
  }
  if (supervisor.isStopping) return
  ready = true
  writeClusterFile(dir, facts())
  process.stdout.write(json ? `${JSON.stringify(facts())}\n` : welcome(facts(), dir, smarthost, restart))
}

/** POSTHOUSE_NODE_OPTIONS are Node's options for the services alone, such as a profiler's. */
function childEnvironment({ POSTHOUSE_NODE_OPTIONS, POSTHOUSE_NATS_SERVER: _, ...env }: NodeJS.ProcessEnv) {
  return POSTHOUSE_NODE_OPTIONS === undefined ? env : { ...env, NODE_OPTIONS: POSTHOUSE_NODE_OPTIONS }
}

function stopOnSignals(dir: string, supervisor: Supervisor): void {
  let first: number | undefined
  const stop = async (signal: string) => {
    const now = performance.now()
    if (first !== undefined) {
      if (now - first < SAME_SIGNAL_MS) return
      say(`${signal} again: killing what still runs; the queue stays as it is`)
      supervisor.killNow()
      process.exit(130)
    }
    first = now
    say(`${signal}: stopping edges, deliveries, admin, mailbox, NATS servers`)
    removeClusterFile(dir)
    await supervisor.stop()
    say('stopped')
    process.exit(0)
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop(signal))
  // npm that is told to end takes its shell along, but not what the shell started.
  const parent = process.ppid
  if (process.env['npm_lifecycle_event'] === undefined) return
  const watch = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(watch)
    void stop('npm has ended')
  }, 500)
}

const command = parseCommandLine(process.argv.slice(2), checkoutRoot())
switch (command.is) {
  case 'help':
    process.stdout.write(HELP)
    break
  case 'wrong':
    for (const error of command.errors) say(error)
    say('npm start -- --help shows all options')
    process.exit(64)
    break
  case 'options':
    try {
      await run(command.options)
    } catch (error) {
      say((error as Error).message)
      process.exit(1)
    }
}
