// Network, mounts and processes of one's own for a program that breaks them: whatever it does there, this machine's are not
// touched, and all of it vanishes with the enclosure's first process, even after a kill -9. Needs root. Run as a program it is
// that first process: it sets the network up, starts the program that was asked for, and ends when that one does.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, readlinkSync } from 'node:fs'
import { Socket } from 'node:net'
import { constants } from 'node:os'
import { createInterface } from 'node:readline'
import { tethered } from '@posthouse/testkit/child-process'
import { ensurePackages } from './breakage/packages.ts'
import { putWritebackBack } from './breakage/writeback.ts'
import { run } from './room/run-program.ts'
import { BRIDGE, CLIENTS, NETWORK_BITS } from './room/addresses.ts'

const NAMESPACES = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc']
/** Holds the identity of the enclosure's network namespace: what inherits the variable elsewhere is not fooled. */
const MARK = 'MACHINE_ROOM'
/** Names of network namespaces, and what programs share with others of the same process id. */
const PRIVATE_FOLDERS = ['/run/netns', '/dev/shm']
/** Given, because else it is that of one port or another: with each node that comes or goes the others would lose the sites. */
const BRIDGE_MAC = '02:00:00:00:00:01'
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

type Signal = (typeof SIGNALS)[number]

let possible: boolean | undefined

/** Whether this process may make one. */
export function canEnclose(): boolean {
  possible ??=
    process.getuid?.() === 0 && spawnSync('unshare', [...NAMESPACES, 'true'], { stdio: 'ignore' }).status === 0
  return possible
}

/** Whether this process runs in one. */
export function isEnclosed(): boolean {
  return process.env[MARK] !== undefined && process.env[MARK] === networkNamespace()
}

/** Runs a program of Node's in an enclosure, with this process's streams; answers with its exit status. */
export async function enclosed(file: string, args: readonly string[]): Promise<number> {
  // In there no package can be had: it has no way to the outside.
  await ensurePackages(['iproute2', 'iptables', 'haproxy', 'faketime', 'strace', 'util-linux', 'e2fsprogs'], (line) =>
    process.stderr.write(`${line}\n`),
  )
  const program = [process.execPath, import.meta.filename, ...process.execArgv, file, ...args]
  const [command, rest] = tethered('unshare', [...NAMESPACES, ...program], 'SIGKILL')
  // A group of its own: Ctrl-C at the terminal comes in once, by way of this process.
  const child = spawn(command, rest, { stdio: ['inherit', 'inherit', 'inherit', 'pipe'], detached: true })
  const orders = child.stdio[3] as Socket
  orders.on('error', () => {}) // it has ended: its status says so
  try {
    return await passingSignals((signal) => orders.write(`${signal}\n`), child)
  } finally {
    await putWritebackBack() // a setting of the machine, not of the enclosure: it may have been killed while it held that
  }
}

async function beFirstProcess(program: readonly string[]): Promise<void> {
  const orders = new Socket({ fd: 3, readable: true })
  await setUp()
  const env = { ...process.env, [MARK]: networkNamespace() }
  const child = spawn(process.execPath, program, { stdio: 'inherit', env })
  createInterface({ input: orders }).on('line', (signal) => child.kill(signal as Signal))
  orders.on('end', () => process.exit(1)) // who made the enclosure is gone
  process.exit(await passingSignals((signal) => child.kill(signal), child))
}

async function setUp(): Promise<void> {
  mkdirSync('/run/netns', { recursive: true })
  for (const folder of PRIVATE_FOLDERS) await run('mount', ['-t', 'tmpfs', '-o', 'mode=755', 'machine-room', folder])
  await run('ip', ['link', 'set', 'lo', 'up'])
  await run('ip', ['link', 'add', BRIDGE, 'address', BRIDGE_MAC, 'type', 'bridge'])
  await run('ip', ['address', 'add', `${CLIENTS}/${NETWORK_BITS}`, 'dev', BRIDGE])
  await run('ip', ['link', 'set', BRIDGE, 'up'])
}

async function passingSignals(pass: (signal: Signal) => void, child: ChildProcess): Promise<number> {
  for (const signal of SIGNALS) process.on(signal, pass)
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? 'SIGKILL']))
    })
  } finally {
    for (const signal of SIGNALS) process.off(signal, pass)
  }
}

function networkNamespace(): string | undefined {
  const link = '/proc/self/ns/net'
  return existsSync(link) ? readlinkSync(link) : undefined
}

if (import.meta.main) await beFirstProcess(process.argv.slice(2))
