/** Sets an admin node up on a queue that is there, and takes it down in order. */
import { join } from 'node:path'
import type { AdminPort } from '@posthouse/queue/admin-port'
import type { ServiceContext } from '@posthouse/runtime/service'
import { StartError } from '@posthouse/runtime/start-error'
import { isExporter } from './exporter.ts'
import { isBusy } from './index/database.ts'
import { EventIndex } from './index/event-index.ts'
import { IndexLag } from './index/index-lag.ts'
import { Projection } from './index/projection.ts'
import type { metricsTable } from './metrics.ts'
import { exportNatsFigures } from './nats-figures.ts'
import { exportQueueFigures } from './queue-figures.ts'
import type { settingsTable } from './settings.ts'
import { Traces } from './traces.ts'
import { forgetOld } from './upkeep.ts'
import { answerDeadLetters } from './webhooks/dead-letters.ts'
import { openWebhooks } from './webhooks/open-webhooks.ts'
import { WebhookState } from './webhooks/state.ts'
import type { DeadLetter } from './webhooks/state.ts'
import { Webhooks } from './webhooks/webhooks.ts'

type Service = Pick<
  ServiceContext<typeof settingsTable, typeof metricsTable>,
  'settings' | 'log' | 'metrics' | 'health' | 'lifecycle' | 'version'
>

/** Bytes of an index in memory. */
const MOST_IN_MEMORY = 256 * 1024 * 1024

export interface AdminTimes {
  /** Between two looks at everything, ms. */
  readonly look: number
  /** After a failure to index, ms. */
  readonly pause: number
  /** After the start, ms, until the others have been heard of. */
  readonly hear: number
  /** Before a node that has become the one sends to webhooks, ms: others have to be heard first. */
  readonly settle: number
}

const TIMES: AdminTimes = { look: 1000, pause: 1000, hear: 1500, settle: 5000 }

export interface Admin {
  readonly index: EventIndex
  /** What webhooks lack for good, the newest first. */
  deadLetters(webhook: string, limit: number): readonly DeadLetter[]
}

export function openAdmin(service: Service, port: AdminPort, times: AdminTimes = TIMES): Admin {
  const { settings, log, metrics, lifecycle } = service
  const now = (): number => performance.now()
  const wall = Date.now
  const startedAt = now()
  const exports = (): boolean => now() - startedAt >= times.hear && isExporter(port, settings.name)
  lifecycle.onStop('queue', () => port.close())

  const index = inFolder(settings.data.folder, 'events.sqlite', (file) => {
    const { keep, room } = settings.events
    return new EventIndex({
      file,
      keep,
      room: file === undefined ? Math.min(room, MOST_IN_MEMORY) : room,
      wall,
      onRebuilt,
    })
  })
  lifecycle.onStop('index', () => index.close())
  function onRebuilt(reason: 'version' | 'corrupt'): void {
    metrics.indexRebuilt.with({ reason }).inc()
    log.warn({ reason }, 'the index of events is built anew from the logs')
  }
  const state = inFolder(settings.data.folder, 'webhooks.sqlite', (file) => new WebhookState(file))
  lifecycle.onStop('state of webhooks', () => state.close())
  if (state.lost !== undefined)
    log.error({ reason: state.lost }, 'what webhooks have got is not known any more; unless another node knows')
  const userAgent = `posthouse/${service.version}`
  const opened = openWebhooks(settings, { userAgent, index, state, metrics, log, wall, chance: Math.random })
  lifecycle.onStop('connections to webhooks', () => opened.close())
  const { settle } = times
  const webhooks = new Webhooks({ port, webhooks: opened.webhooks, isSender: exports, log, now, settle })
  lifecycle.onClose('webhooks', () => webhooks.close())

  const lag = new IndexLag()
  const traces = new Traces({ port, index, lagMs: () => lag.ms(now()), node: settings.name, metrics, log })
  lifecycle.onClose('traces', () => traces.close())
  const names = opened.webhooks.map(({ name }) => name)
  const answering = answerDeadLetters({ port, state, webhooks: names, node: settings.name, isSender: exports, log })
  lifecycle.onClose('dead letters', answering)

  const stopping = new AbortController()
  const projection = new Projection({
    index,
    feed: port.feed,
    log,
    signal: stopping.signal,
    pause: times.pause,
    observer: {
      written(types, repeated, ms) {
        for (const type of types) metrics.events.with({ type }).inc()
        metrics.eventsRepeated.inc(repeated)
        metrics.projectionSeconds.observe(ms / 1000)
        lag.look(index.cursor)
        if (types.length > 0) webhooks.poke()
      },
      gap: () => metrics.gaps.inc(),
    },
  })
  const removed = (messages: number): void => metrics.indexExpired.inc(messages)
  const running = Promise.all([projection.run(), forgetOld(index, { log, signal: stopping.signal, removed })])
  lifecycle.onStop('projection', async () => {
    stopping.abort()
    await running
  })

  const view = { port, metrics, exports }
  exportQueueFigures({ ...view, wall })
  exportNatsFigures(view)
  metrics.exports.from(() => (exports() ? 1 : 0))
  metrics.indexLagEntries.from(() => lag.entries(index.cursor))
  metrics.indexLag.from(() => (lag.entries(index.cursor) === 0 ? 0 : seconds(lag.ms(now()))))
  metrics.indexBytes.from(() => index.bytes)
  metrics.indexMessages.from(() => index.messages)
  const sending = () => opened.webhooks.filter(({ sends }) => sends)
  metrics.webhookWaiting.from(() => sending().map(({ name, waiting }) => [name, waiting]))
  metrics.webhookOldestAge.from(() =>
    sending().map(({ name, oldestAt }) => [name, oldestAt === undefined ? 0 : Math.max(0, wall() - oldestAt) / 1000]),
  )
  metrics.webhookDeadLetters.from(() => sending().map(({ name }) => [name, state.deadLetterCount(name)]))

  watchReadiness(service, port, () => projection.trouble ?? building(index, lag))
  every(lifecycle, times.look, async () => {
    const askedAt = now()
    // Unanswered: what is known ages, and that is shown.
    const ends = await port.feed.ends().catch(() => undefined)
    if (ends !== undefined) lag.heard(ends, askedAt, index.cursor)
    traces.look()
  })
  every(lifecycle, times.look, () => webhooks.look())
  log.info({ folder: settings.data.folder ?? 'memory', webhooks: opened.webhooks.length }, 'watching the queue')
  return { index, deadLetters: (webhook, limit) => state.deadLetters(webhook, limit) }
}

/** Undefined once the index has had all that there was, however far it is behind now. */
function building(index: EventIndex, lag: IndexLag): string | undefined {
  if (lag.ms(0) !== undefined) return undefined
  const entries = lag.entries(index.cursor)
  return `the index of events is being built${entries === undefined ? '' : `: ${entries} entries are left`}`
}

function inFolder<T>(folder: string | undefined, name: string, open: (file: string | undefined) => T): T {
  if (folder === undefined) return open(undefined)
  const file = join(folder, name)
  try {
    return open(file)
  } catch (error) {
    const why = isBusy(error) ? 'another process has it' : (error as Error).message
    throw new StartError('data.folder', `${file}: ${why}`, { cause: error })
  }
}

function watchReadiness({ health, lifecycle }: Service, port: AdminPort, trouble: () => string | undefined): void {
  const queue = health.condition('queue')
  const index = health.condition('index')
  every(lifecycle, 200, () => {
    const why = port.notReady()
    if (why === undefined) queue.ready()
    else queue.notReady(why.reason)
    const reason = trouble()
    if (reason === undefined) index.ready()
    else index.notReady(reason)
  })
}

/** At once, and again so long after it has ended. */
function every(lifecycle: Service['lifecycle'], ms: number, run: () => Promise<void> | void): void {
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  const again = async (): Promise<void> => {
    await run()
    if (!stopped) timer = setTimeout(() => void again(), ms)
  }
  lifecycle.onClose('looks', () => {
    stopped = true
    clearTimeout(timer)
  })
  void again()
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000
}
