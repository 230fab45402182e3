// A Posthouse cluster of one's own, started like any user starts it (`npm start -- --json`), and known only by what that tells:
// the JSON object on standard output, the same object kept current in DIR/cluster.json, SMTP and HTTP.

import { spawn, type ChildProcess } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { randomInt } from 'node:crypto'
import { tethered } from '@posthouse/testkit/child-process'
import { isPortFree } from '@posthouse/testkit/free-port'
import type { Target } from './smtp-client.ts'

export interface ClusterFacts {
  readonly smtp: readonly { role: string; host: string; port: number; tls: string | boolean }[]
  readonly user?: string
  readonly password?: string
  readonly mailbox?: string
  /** Addresses of the metrics by node. */
  readonly metrics: Readonly<Record<string, string>>
  readonly pids: Readonly<Record<string, number>>
}

export interface ClusterOptions {
  readonly dataDir: string
  readonly smarthost: { readonly host: string; readonly port: number }
  readonly nodes?: number
  /** False: without an admin node. */
  readonly admin?: boolean
  /** Given to the edges and deliveries as NODE_OPTIONS. */
  readonly nodeOptions?: string
  readonly signal?: AbortSignal
}

const ROOT = join(import.meta.dirname, '..')
const START_MS = 300_000 // a fresh machine installs a nats-server first
const STOP_MS = 60_000
const PORTS_APART = 100

export class Cluster implements AsyncDisposable {
  readonly dataDir: string
  readonly #process: ChildProcess
  readonly #exited: Promise<void>
  #facts: ClusterFacts

  private constructor(dataDir: string, child: ChildProcess, exited: Promise<void>, facts: ClusterFacts) {
    this.dataDir = dataDir
    this.#process = child
    this.#exited = exited
    this.#facts = facts
  }

  static async start(options: ClusterOptions): Promise<Cluster> {
    const logFile = `${options.dataDir}.log`
    const args = [join(ROOT, 'deploy/local/bootstrap.mjs'), 'start', '--json', '--data', options.dataDir]
    args.push('--smarthost', `${options.smarthost.host}:${options.smarthost.port}`)
    args.push('--base-port', String(await freeBasePort()))
    if (options.nodes !== undefined) args.push('--nodes', String(options.nodes))
    if (options.admin === false) args.push('--no-admin')
    const env = { ...process.env }
    if (options.nodeOptions !== undefined) env['POSTHOUSE_NODE_OPTIONS'] = options.nodeOptions
    const [program, rest] = tethered(process.execPath, args, 'SIGTERM')
    const child = spawn(program, rest, { cwd: ROOT, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    child.stderr.pipe(createWriteStream(logFile, { flags: 'a' }))
    try {
      const facts = await factsFrom(child, exited, logFile, options.signal)
      return new Cluster(options.dataDir, child, exited, facts)
    } catch (error) {
      await stopStarter(child, exited)
      throw error
    }
  }

  /** The process that started the others and watches over them. */
  get starterPid(): number {
    return this.#process.pid ?? 0
  }

  /** The listeners of a role, as the sender takes them. */
  targets(role: 'relay' | 'submission' | 'submissions'): Target[] {
    const { user, password } = this.#facts
    const login =
      role === 'relay' || user === undefined ? {} : { user, ...(password === undefined ? {} : { password }) }
    const tls = role === 'relay' ? 'none' : role === 'submission' ? 'starttls' : 'implicit'
    const found = this.#facts.smtp.filter((listener) => listener.role === role)
    if (found.length === 0) throw new Error(`the cluster has no ${role} listener`)
    return found.map(({ host, port }) => ({ host, port, tls, ...login }))
  }

  /** An address that the demo user may send as. */
  userAddress(): string {
    const { user } = this.#facts
    if (user === undefined) throw new Error('the cluster names no user')
    return user.includes('@') ? user : `${user}@posthouse.example`
  }

  /** The cluster as it is now: restarted nodes have other process ids. */
  async facts(): Promise<ClusterFacts> {
    try {
      this.#facts = JSON.parse(await readFile(join(this.dataDir, 'cluster.json'), 'utf8')) as ClusterFacts
    } catch {
      // half written or not yet there: what was known last still holds
    }
    return this.#facts
  }

  /** Names of the nodes of a kind: `edge` finds edge-1 and edge-2. */
  async nodes(kind: string): Promise<string[]> {
    return Object.keys((await this.facts()).pids).filter((name) => kindOf(name) === kind)
  }

  /** kill -9; answers with the process id that died. */
  async kill(name: string): Promise<number> {
    const pid = (await this.facts()).pids[name]
    if (pid === undefined) throw new Error(`no node called ${name}`)
    process.kill(pid, 'SIGKILL')
    return pid
  }

  /** Waits until the supervisor has started the node again. */
  async restarted(name: string, formerPid: number, timeoutMs = 60_000): Promise<void> {
    const deadline = performance.now() + timeoutMs
    for (;;) {
      const pid = (await this.facts()).pids[name]
      if (pid !== undefined && pid !== formerPid) return
      if (performance.now() > deadline) throw new Error(`${name} was not started again within ${timeoutMs / 1000} s`)
      await sleep(100)
    }
  }

  /** Stops all of it, however far it is. */
  async stop(): Promise<void> {
    const { pids } = await this.facts()
    await stopStarter(this.#process, this.#exited)
    for (const pid of Object.values(pids)) killIfAlive(pid)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }
}

export function kindOf(name: string): string {
  return name.replace(/-\d+$/, '')
}

async function factsFrom(
  child: ChildProcess,
  exited: Promise<void>,
  logFile: string,
  signal?: AbortSignal,
): Promise<ClusterFacts> {
  if (child.stdout === null) throw new Error('the starter has no standard output')
  const lines = createInterface({ input: child.stdout })
  const ready = new Promise<ClusterFacts>((resolve) => {
    lines.on('line', (line) => {
      if (line.startsWith('{')) resolve(JSON.parse(line) as ClusterFacts)
    })
  })
  const gone = exited.then(async () => {
    const log = await readFile(logFile, 'utf8').catch(() => '')
    throw new Error(`the cluster did not start:\n${log.split('\n').slice(-30).join('\n')}`)
  })
  gone.catch(() => {}) // a later end is no failed start
  let timer: NodeJS.Timeout | undefined
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the cluster was not ready within ${START_MS / 1000} s`)), START_MS)
    signal?.addEventListener('abort', () => reject(new Error('stopped')), { once: true })
  })
  try {
    return await Promise.race([ready, gone, tooLate])
  } finally {
    clearTimeout(timer)
  }
}

async function stopStarter(child: ChildProcess, exited: Promise<void>): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
  const last = setTimeout(() => {
    if (child.pid !== undefined) killIfAlive(-child.pid) // the group that we made it the leader of
  }, STOP_MS)
  await exited
  clearTimeout(last)
}

function killIfAlive(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // gone already, as it should be
  }
}

/** A port with a free stretch above it, below the range from which the kernel serves outgoing connections. */
async function freeBasePort(): Promise<number> {
  for (let tries = 0; tries < 100; tries++) {
    const base = 10_000 + PORTS_APART * randomInt(0, 220)
    const free = await Promise.all(Array.from({ length: PORTS_APART }, (_, offset) => isPortFree(base + offset)))
    if (free.every(Boolean)) return base
  }
  throw new Error('no hundred free ports in a row')
}
