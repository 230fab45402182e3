/** Sets a delivery node up on a queue that is there, and takes it down in the order that loses and repeats nothing. */
import { randomBytes } from 'node:crypto'
import { parseNetworks } from '@posthouse/core/network'
import { queueIds } from '@posthouse/core/queue-id'
import type { DeliverPort } from '@posthouse/queue/port'
import type { ServiceContext } from '@posthouse/runtime/service'
import { splitHostPort } from '@posthouse/runtime/settings/formats'
import { StartError } from '@posthouse/runtime/start-error'
import { Closer } from './closer.ts'
import { Dialler } from './dialler.ts'
import { createDns } from './dns.ts'
import { Engine } from './engine.ts'
import { HostHealth } from './host-health.ts'
import type { metricsTable } from './metrics.ts'
import type { settingsTable } from './settings.ts'

type Service = Pick<
  ServiceContext<typeof settingsTable, typeof metricsTable>,
  'settings' | 'log' | 'metrics' | 'health' | 'lifecycle' | 'tracer'
>

/** What cannot start within this is parked. */
const PARK_AFTER_MS = 3000
/** How long before the deadline of a stop the transactions under way are cut off. */
const CUT_OFF_BEFORE_MS = 5000

export async function openDelivery(service: Service, queue: DeliverPort): Promise<Engine> {
  const { settings, log, metrics, lifecycle, tracer } = service
  const { limits, timeouts } = settings
  const now = (): number => performance.now()
  const chance = Math.random
  const smarthosts = settings.route.smarthosts.map((entry) => {
    const parsed = splitHostPort(entry)
    if (parsed === undefined) throw new StartError('route.smarthosts', `${entry} is not host:port`)
    return parsed
  })
  const ownAddresses = parseNetworks(settings.route.ownAddresses)
  if ('invalid' in ownAddresses)
    throw new StartError('route.ownAddresses', `no networks: ${ownAddresses.invalid.join(', ')}`)
  const toSmarthosts = smarthosts.length > 0
  const ownNames = new Set([settings.hostname, ...settings.route.ownNames].map((name) => name.toLowerCase()))

  const dialler = new Dialler({
    hostname: settings.hostname,
    smarthosts,
    port: settings.route.port,
    isOwnName: (host) => ownNames.has(host.toLowerCase()),
    ownAddresses,
    useTls: settings.tls === 'opportunistic',
    timeouts,
    dns: createDns({ ...settings.dns, now }),
    health: new HostHealth(now),
    now,
    chance,
    onClient: (client) => engine.watch(client),
  })
  const closer = new Closer({
    hostname: settings.hostname,
    toSmarthosts,
    retry: { ...settings.retry, lifetime: settings.lifetime },
    log,
    metrics,
    nextId: queueIds(randomBytes(5)),
    wall: Date.now,
    chance,
  })
  const engine: Engine = new Engine({
    toSmarthosts,
    closer,
    limits: {
      connections: limits.connectionsPerDestination,
      messagesPerConnection: limits.messagesPerConnection,
      ready: limits.readyPerDestination,
      idleMs: timeouts.idle,
      // All mail goes one way: a parked message would make room for nobody.
      parkAfterMs: toSmarthosts ? Infinity : PARK_AFTER_MS,
    },
    connections: limits.connections,
    recipientsPerTransaction: limits.recipientsPerTransaction,
    dial: (destination) => dialler.dial(destination),
    tracer,
    metrics,
    now,
    chance,
  })
  metrics.connections.from(() => engine.connections)
  metrics.ready.from(() => engine.ready)
  metrics.destinations.from(() => engine.destinations)

  lifecycle.onStop('connections', () => engine.close(CUT_OFF_BEFORE_MS / 2))
  const drain = Math.max(settings.stop.deadline / 2, settings.stop.deadline - CUT_OFF_BEFORE_MS)
  lifecycle.onClose('queue', () => queue.stop(drain))
  await queue.start(engine)
  watchReadiness(service, queue)
  log.info({ route: toSmarthosts ? settings.route.smarthosts.join(', ') : 'MX' }, 'delivering')
  return engine
}

function watchReadiness({ health, lifecycle }: Service, queue: DeliverPort): void {
  const condition = health.condition('queue')
  const look = (): void => {
    const why = queue.notReady()
    if (why === undefined) condition.ready()
    else condition.notReady(why.reason)
  }
  look()
  const timer = setInterval(look, 200)
  lifecycle.onStop('readiness', () => clearInterval(timer))
}
