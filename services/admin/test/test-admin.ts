/** An admin node on a queue of a test. */
import { Health } from '@posthouse/runtime/health'
import { Lifecycle } from '@posthouse/runtime/lifecycle/lifecycle'
import { createLog } from '@posthouse/runtime/log'
import { createMetrics } from '@posthouse/runtime/metrics/registry'
import { loadSettings } from '@posthouse/runtime/settings/load'
import { stringify } from 'yaml'
import { openAdmin } from '../admin.ts'
import type { Admin } from '../admin.ts'
import { metricsTable } from '../metrics.ts'
import { settingsRules } from '../settings-rules.ts'
import { settingsTable } from '../settings.ts'
import { FakePort } from './fake-port.ts'

export interface TestAdmin extends AsyncDisposable {
  readonly admin: Admin
  readonly port: FakePort
  readonly health: Health
  /** Lines of the log. */
  readonly lines: string[]
  /** The series, as Prometheus reads them, by what stands before the value. */
  series(): Promise<ReadonlyMap<string, number>>
  /** Resolves when the condition holds, which is looked at again and again. */
  until(condition: () => boolean | Promise<boolean>): Promise<void>
  stop(): Promise<void>
}

export async function testAdmin(
  settings: Readonly<Record<string, unknown>> = {},
  port = new FakePort(),
): Promise<TestAdmin> {
  const { name } = port
  const text = stringify({ name, hostname: 'admin.example', http: { port: 0 }, data: { folder: '' }, ...settings })
  const loaded = loadSettings(
    settingsTable,
    { file: { name: 'admin.yaml', text }, environment: {}, readFile: () => '' },
    settingsRules,
  )
  if (!loaded.ok) throw new Error(loaded.errors.join('\n'))
  const lines: string[] = []
  const log = await createLog({
    level: 'debug',
    format: 'json',
    base: { service: 'admin', node: name },
    destination: { write: (line: string) => void lines.push(line) },
  })
  const registry = createMetrics(metricsTable, { service: 'admin', version: 'test' })
  const health = new Health()
  const lifecycle = new Lifecycle({ log, notReadyFor: 0, deadline: 10_000 })
  const { metrics } = registry
  const service = { settings: loaded.settings, log, metrics, health, lifecycle, version: 'test' }
  const admin = openAdmin(service, port, { look: 5, pause: 5, hear: 0, settle: 20 })
  lifecycle.running()
  const stop = async (): Promise<void> => {
    lifecycle.stop('test')
    await lifecycle.done
  }
  return {
    admin,
    port,
    health,
    lines,
    async series() {
      const found = new Map<string, number>()
      for (const line of (await registry.text()).split('\n')) {
        const match = /^(posthouse_(?:queue|nats|admin)\S*) (\S+)$/.exec(line)
        if (match !== null) found.set(match[1]!, Number(match[2]))
      }
      return found
    },
    async until(condition) {
      while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5))
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}
