/** An edge node in the test's own process, on a scripted queue and free ports. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { hashPassword } from '@posthouse/core/password'
import { formatUsers } from '@posthouse/core/users'
import { Health } from '@posthouse/runtime/health'
import { Lifecycle } from '@posthouse/runtime/lifecycle/lifecycle'
import { createLog } from '@posthouse/runtime/log'
import { createMetrics } from '@posthouse/runtime/metrics/registry'
import { loadSettings } from '@posthouse/runtime/settings/load'
import { off } from '@posthouse/runtime/tracing'
import type { Tracer } from '@posthouse/runtime/tracing'
import type { ClusterNetwork } from '../cluster-networks.ts'
import type { EdgeContext } from '../context.ts'
import { openEdge } from '../edge.ts'
import { metricsTable } from '../metrics.ts'
import { settingsRules } from '../settings-rules.ts'
import { settingsTable } from '../settings.ts'
import { FakeQueue } from './fake-queue.ts'

export const password = 'a horse, a courier'
let hash: Promise<string> | undefined

export interface TestEdge extends AsyncDisposable {
  readonly queue: FakeQueue
  readonly health: Health
  readonly lifecycle: Lifecycle
  readonly usersFile: string
  readonly known: EdgeContext['known']
  readonly strangersLog: EdgeContext['strangersLog']
  readonly sessions: EdgeContext['sessions']
  readonly ports: { readonly submission: number; readonly submissions: number; readonly relay: number }
  /** Every line logged so far. */
  lines(): Record<string, unknown>[]
  metricsText(): Promise<string>
  /** The same, with exemplars. */
  openMetrics(): Promise<string>
}

export interface TestEdgeOptions {
  readonly settings?: Record<string, unknown>
  /** Networks of the relay listener; the test itself comes from 127.0.0.1. */
  readonly networks?: string[]
  /** Load balancers in front of all listeners. */
  readonly proxyFrom?: string[]
  readonly bareNewlines?: 'reject' | 'normalise'
  readonly queue?: FakeQueue
  readonly tracer?: Tracer
  /** The least important line that is kept. */
  readonly level?: 'trace' | 'debug' | 'info'
  /** What the process found out about its cluster. */
  readonly own?: readonly ClusterNetwork[]
}

export async function startTestEdge(options: TestEdgeOptions = {}): Promise<TestEdge> {
  const folder = mkdtempSync(join(tmpdir(), 'posthouse-edge-'))
  const usersFile = join(folder, 'users.yaml')
  hash ??= hashPassword(password)
  const addresses = ['anna@example.org', '@anna.example']
  writeFileSync(usersFile, formatUsers([{ name: 'anna', hash: await hash, addresses }]))
  const bareNewlines = options.bareNewlines ?? 'reject'
  const common = { host: '127.0.0.1', port: 0, bareNewlines, proxyFrom: options.proxyFrom ?? [] }
  const file = {
    name: 'edge-test',
    hostname: 'edge.example',
    http: { port: 0 },
    local: true,
    usersFile,
    failedLoginDelay: '0s',
    stop: { deadline: '10s' },
    listeners: [
      { role: 'submission', ...common },
      { role: 'submissions', ...common },
      { role: 'relay', ...common, networks: options.networks ?? ['127.0.0.0/8'] },
    ],
    ...options.settings,
  }
  const loaded = loadSettings(
    settingsTable,
    {
      file: { name: join(folder, 'edge.yaml'), text: stringify(file, { aliasDuplicateObjects: false }) },
      environment: {},
      readFile: () => '',
    },
    settingsRules,
  )
  if (!loaded.ok) throw new Error(loaded.errors.join('\n'))
  let logged = ''
  const log = await createLog({
    level: options.level ?? 'info',
    format: 'json',
    base: {},
    destination: { write: (line: string) => void (logged += line) },
  })
  const health = new Health()
  const lifecycle = new Lifecycle({ log, ...loaded.settings.stop })
  const registry = createMetrics(metricsTable, { service: 'edge', version: 'test' })
  const queue = options.queue ?? new FakeQueue()
  const { settings } = loaded
  const end = async (): Promise<void> => {
    lifecycle.stop('test is over')
    await lifecycle.done
    rmSync(folder, { recursive: true, force: true })
  }
  const { ports, context } = await openEdge(
    { settings, log, metrics: registry.metrics, health, lifecycle, tracer: options.tracer ?? off, version: 'test' },
    queue,
    options.own,
  ).catch(async (error: unknown) => {
    await end()
    throw error
  })
  lifecycle.running()
  return {
    queue,
    health,
    lifecycle,
    usersFile,
    known: context.known,
    strangersLog: context.strangersLog,
    sessions: context.sessions,
    ports: { submission: ports[0] ?? 0, submissions: ports[1] ?? 0, relay: ports[2] ?? 0 },
    lines: () =>
      logged
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Record<string, unknown>),
    metricsText: () => registry.text(),
    openMetrics: async () => (await registry.page('application/openmetrics-text')).text,
    [Symbol.asyncDispose]: end,
  }
}
