/** Sets a delivery node up on a queue that is there, and takes it down in the order that loses and repeats nothing. */
import { randomBytes } from 'node:crypto'
import { parseNetworks } from '@posthouse/core/network'
import { queueIds } from '@posthouse/core/queue-id'
import { RouteTable } from '@posthouse/core/route-table'
import type { NextHop } from '@posthouse/core/route-table'
import type { DeliverPort } from '@posthouse/queue/port'
import type { ServiceContext } from '@posthouse/runtime/service'
import { splitHostPort } from '@posthouse/runtime/settings/formats'
import { StartError } from '@posthouse/runtime/start-error'
import { Closer } from './closer.ts'
import { Dialler } from './dialler.ts'
import { createDns } from './dns.ts'
import { Egress } from './egress.ts'
import { Engine } from './engine.ts'
import { HostHealth } from './host-health.ts'
import type { metricsTable } from './metrics.ts'
import { NextHosts } from './next-hosts.ts'
import { dnsCounts, watchEngine } from './observe.ts'
import type { settingsTable } from './settings.ts'
import { unusableAddress } from './source-addresses.ts'

type Service = Pick<
  ServiceContext<typeof settingsTable, typeof metricsTable>,
  'settings' | 'log' | 'metrics' | 'health' | 'lifecycle' | 'tracer'
>

/** What cannot start within this is parked. */
const PARK_AFTER_MS = 3000
/** How long before the deadline of a stop the transactions under way are cut off. */
const CUT_OFF_BEFORE_MS = 5000
/** What a node that stops gives back is stored within this. */
const STORE_MS = 2000

export async function openDelivery(service: Service, queue: DeliverPort): Promise<Engine> {
  const { settings, log, metrics, lifecycle, tracer } = service
  const { limits, timeouts } = settings
  const now = (): number => performance.now()
  const chance = Math.random
  const routes = new RouteTable(
    settings.route.domains.map(({ domain, hosts }) => ({ domain, hosts: nextHops('route.domains', hosts) })),
    nextHops('route.smarthosts', settings.route.smarthosts),
  )
  const ownAddresses = parseNetworks(settings.route.ownAddresses)
  if ('invalid' in ownAddresses)
    throw new StartError('route.ownAddresses', `no networks: ${ownAddresses.invalid.join(', ')}`)
  const unusable = await unusableAddress(settings.egress.addresses)
  if (unusable !== undefined) throw new StartError('egress.addresses', `${unusable.address}: ${unusable.reason}`)
  const ownNames = new Set([settings.hostname, ...settings.route.ownNames].map((name) => name.toLowerCase()))

  const isOwnName = (host: string): boolean => ownNames.has(host.toLowerCase())
  const dns = createDns({ ...settings.dns, now, onAnswer: dnsCounts(metrics) })
  const { socksUser: user, socksPassword: password } = settings.egress

  const egress = new Egress({
    addresses: settings.egress.addresses,
    proxies: nextHops('egress.socks', settings.egress.socks),
    login: user === undefined || password === undefined ? undefined : { user, password },
    resolve: (host) => dns.machine(host),
    log,
    now,
  })
  const dialler = new Dialler({
    hostname: settings.hostname,
    hosts: new NextHosts({ routes, port: settings.route.port, isOwnName, ownAddresses, dns, chance }),
    egress,
    isOwnName,
    useTls: settings.tls === 'opportunistic',
    timeouts,
    health: new HostHealth(now),
    now,
    onClient: (client) => engine.watch(client),
  })
  const closer = new Closer({
    hostname: settings.hostname,
    routes,
    retry: { ...settings.retry, lifetime: settings.lifetime },
    log,
    tracer,
    metrics,
    nextId: queueIds(randomBytes(5)),
    wall: Date.now,
    chance,
  })
  const engine: Engine = new Engine({
    routes,
    closer,
    limits: {
      connections: limits.connectionsPerDestination,
      messagesPerConnection: limits.messagesPerConnection,
      ready: limits.readyPerDestination,
      idleMs: timeouts.idle,
      // All mail goes one way: a parked message would make room for nobody.
      parkAfterMs: routes.isOneWay ? Infinity : PARK_AFTER_MS,
    },
    connections: limits.connections,
    recipientsPerTransaction: limits.recipientsPerTransaction,
    dial: (destination) => dialler.dial(destination),
    onLetGo: (transactions) => log.info({ transactions }, 'gave back what hosts kept waiting'),
    metrics,
    now,
    chance,
  })
  watchEngine(metrics, engine, egress)

  lifecycle.onStop('connections', () => engine.close(CUT_OFF_BEFORE_MS / 2))
  lifecycle.onClose('queue', () => stopQueue(queue, engine, drainTime(settings.stop)))
  await queue.start(engine)
  watchReadiness(service, queue)
  log.info(wayOut(settings), 'delivering')
  return engine
}

/** How long what is in flight may take when the node stops, ms: what saying "not ready" and the end leave of it. */
function drainTime({ deadline, notReadyFor }: Service['settings']['stop']): number {
  const left = Math.max(deadline - notReadyFor, 0)
  return Math.max(left / 2, left - CUT_OFF_BEFORE_MS)
}

/** Has the partitions released in time, whatever the hosts do: a successor should neither wait nor doubt. */
async function stopQueue(queue: DeliverPort, engine: Engine, drain: number): Promise<void> {
  const unsent = setTimeout(() => engine.letGo('unsent'), drain / 2)
  // Later, for it may make duplicates; but so would leaving it to the successor, who has to take all for begun.
  const all = setTimeout(() => engine.letGo('all'), Math.max(drain * 0.75, drain - STORE_MS))
  await queue.stop(drain)
  clearTimeout(unsent)
  clearTimeout(all)
}

/** The settings have been checked to be host:port. */
function nextHops(setting: string, entries: readonly string[]): NextHop[] {
  return entries.map((entry) => {
    const parsed = splitHostPort(entry)
    if (parsed === undefined) throw new StartError(setting, `${entry} is not host:port`)
    return parsed
  })
}

/** For the log, how mail leaves. */
function wayOut({ route, egress }: Service['settings']): object {
  const rest = route.smarthosts.length > 0 ? route.smarthosts.join(', ') : 'MX'
  return {
    route: rest,
    ...(route.domains.length > 0 && { routedDomains: route.domains.length }),
    ...(egress.addresses.length > 0 && { addresses: egress.addresses.join(', ') }),
    ...(egress.socks.length > 0 && { socks: egress.socks.join(', ') }),
  }
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
