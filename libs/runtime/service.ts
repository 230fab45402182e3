// A process, from its command line to its exit status: settings, log, metrics, tracing, health, the service's own start,
// signals, stop. A service's main is one call of `runService`.
//
// Exit status: 0 stopped in good order; 1 could not start or cannot go on (one line says why, and which setting to look
// at); 64 wrong command line; 70 a bug (an exception nobody caught); 78 wrong settings (one line for each mistake);
// 128+n a second signal.
import { readFileSync } from 'node:fs'
import { parseCommandLine } from './command-line.ts'
import { Health, startHealthServer } from './health.ts'
import { Lifecycle } from './lifecycle/lifecycle.ts'
import { createLog } from './log.ts'
import type { Log } from './log.ts'
import { createMetrics } from './metrics/registry.ts'
import type { Metrics } from './metrics/registry.ts'
import type { MetricsTable } from './metrics/table.ts'
import type { commonSettings } from './settings/common.ts'
import { loadSettings } from './settings/load.ts'
import type { Loaded } from './settings/load.ts'
import { helpText, settingsText } from './settings/print.ts'
import type { Settings, SettingsTable } from './settings/table.ts'
import { StartError } from './start-error.ts'
import { createTracer } from './tracing.ts'
import type { Tracer } from './tracing.ts'
import { version } from './version.ts'

export interface ServiceContext<S extends SettingsTable, M extends MetricsTable> {
  readonly settings: Settings<S>
  readonly log: Log
  readonly metrics: Metrics<M>
  readonly health: Health
  readonly lifecycle: Lifecycle
  readonly tracer: Tracer
  readonly version: string
}

export interface ServiceDefinition<S extends SettingsTable, M extends MetricsTable> {
  /** "edge": in logs, metrics and the usage line. */
  readonly name: string
  readonly settingsTable: S & CommonSettings
  readonly metricsTable: M
  /** What the table cannot say (one setting that needs another): a line for each thing wrong. */
  readonly rules?: (settings: Settings<S>) => readonly string[]
  /** Sets everything up, each thing with its lifecycle.onClose or onStop; resolves when it serves. */
  readonly start: (context: ServiceContext<S, M>) => Promise<void>
}

type CommonSettings = typeof commonSettings

/** Runs the service until it is told to stop, then ends the process. */
export async function runService<S extends SettingsTable, M extends MetricsTable>(
  definition: ServiceDefinition<S, M>,
): Promise<void> {
  const command = parseCommandLine(process.argv.slice(2))
  switch (command.kind) {
    case 'wrong':
      return exit(64, [`posthouse ${definition.name}: ${command.reason}`])
    case 'help':
      process.stdout.write(helpText(definition.name, definition.settingsTable))
      return
    case 'print-settings':
    case 'run': {
      const loaded = load(definition, command.config)
      if (!loaded.ok) return exit(78, loaded.errors)
      if (command.kind === 'run') return serve(definition, loaded)
      process.stdout.write(settingsText(definition.settingsTable, loaded.settings, loaded.origins))
    }
  }
}

function load<S extends SettingsTable, M extends MetricsTable>(
  definition: ServiceDefinition<S, M>,
  config: string | undefined,
): Loaded<S> {
  let file: { name: string; text: string } | undefined
  if (config !== undefined)
    try {
      file = { name: config, text: readFileSync(config, 'utf8') }
    } catch (error) {
      return { ok: false, errors: [`--config: cannot read the settings file: ${(error as Error).message}`] }
    }
  const sources = { environment: process.env, readFile: (path: string) => readFileSync(path, 'utf8') }
  return loadSettings<S>(
    definition.settingsTable,
    file === undefined ? sources : { ...sources, file },
    definition.rules,
  )
}

async function serve<S extends SettingsTable, M extends MetricsTable>(
  definition: ServiceDefinition<S, M>,
  loaded: Extract<Loaded<S>, { ok: true }>,
): Promise<void> {
  const { name: service } = definition
  const settings = loaded.settings as Settings<S> & Settings<CommonSettings>
  const node = settings.name
  const log = await createLog({ level: settings.log.level, format: settings.log.format, base: { service, node } })
  for (const note of loaded.notes) log.warn({ note }, 'ignored a variable of the environment')
  const health = new Health()
  const running = health.condition(service)
  const lifecycle = new Lifecycle({
    log,
    notReadyFor: settings.stop.notReadyFor,
    deadline: settings.stop.deadline,
    onStopping: (reason) => running.notReady(`stopping: ${reason}`),
  })
  listenToSignals(lifecycle, log)
  try {
    const registry = createMetrics(definition.metricsTable, { service, version })
    registry.common.ready.from(() => Number(health.isReady))
    registry.common.logSuppressed.from(() => log.suppressed())
    const { endpoint, oneIn } = settings.tracing
    const onTrouble = (trouble: string): void => log.warn({ endpoint, trouble }, 'trouble with traces')
    const tracer = await createTracer({ endpoint, oneIn, service, node, version, onTrouble })
    lifecycle.onStop('tracing', () => tracer.close())
    const server = await startHealthServer({ ...settings.http, health, metrics: registry })
    lifecycle.onStop('http', () => server.close())
    health.onChange((ready, why) => (ready ? log.info('ready') : log.warn({ why }, 'not ready')))
    log.info({ version, nodejs: process.version, http: `http://${server.host}:${server.port}` }, 'starting')
    await definition.start({ settings, log, metrics: registry.metrics, health, lifecycle, tracer, version })
    if (lifecycle.phase === 'starting') running.ready()
    lifecycle.running()
  } catch (error) {
    startFailed(definition.name, lifecycle, log, error)
  }
  const status = await lifecycle.done
  if (status === 0) log.info('stopped')
  await log.drain()
  process.exit(status)
}

function startFailed(service: string, lifecycle: Lifecycle, log: Log, error: unknown): void {
  // A start that was told to stop may fail for that very reason.
  if (lifecycle.phase !== 'starting') return
  if (error instanceof StartError) {
    log.fatal({ setting: error.setting }, `${error.setting}: ${error.message}`)
    lifecycle.abandon(1, `${service} could not start`)
  } else {
    log.fatal({ err: error }, 'could not start')
    lifecycle.abandon(70, `${service} could not start`)
  }
}

function listenToSignals(lifecycle: Lifecycle, log: Log): void {
  const numbers = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const
  let first = true
  for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      if (first) {
        first = false
        return lifecycle.stop(signal)
      }
      log.warn({ signal, underWay: lifecycle.activities.counts() }, 'second signal: leaving at once')
      log.flush()
      process.exit(128 + numbers[signal])
    })
  const bug = (error: unknown): void => {
    log.fatal({ err: error }, 'a bug: nobody caught this')
    log.flush()
    process.exit(70)
  }
  process.on('uncaughtException', bug)
  process.on('unhandledRejection', bug)
}

function exit(status: number, lines: readonly string[]): void {
  process.stderr.write(lines.map((line) => `${line}\n`).join(''))
  process.exitCode = status
}
