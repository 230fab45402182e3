/** Sets an edge node up: users, certificate, queue, listeners; and takes it down in the order that loses nothing. */
import { randomBytes } from 'node:crypto'
import { parseNetworks } from '@posthouse/core/network'
import type { NetworkList } from '@posthouse/core/network'
import { queueIds } from '@posthouse/core/queue-id'
import type { AcceptPort } from '@posthouse/queue/port'
import { LimitedLog } from '@posthouse/runtime/limited-log'
import type { ServiceContext } from '@posthouse/runtime/service'
import { StartError } from '@posthouse/runtime/start-error'
import { Authenticator } from './authenticator.ts'
import { Balancers } from './balancers.ts'
import { loadCertificate } from './certificate.ts'
import { believedNetworks, clusterNetworks, whyHidden } from './cluster-networks.ts'
import type { ClusterNetwork } from './cluster-networks.ts'
import type { EdgeContext } from './context.ts'
import { KnownClients } from './known-clients.ts'
import { Listener } from './listener.ts'
import type { metricsTable } from './metrics.ts'
import { roles } from './role.ts'
import { Sessions } from './sessions.ts'
import type { settingsTable } from './settings.ts'
import { loadUsers } from './users-file.ts'

type Service = ServiceContext<typeof settingsTable, typeof metricsTable>

/** How long before the deadline of a stop the sessions that still linger in a transaction are closed. */
const cutOffBefore = 5000
/**
 * How long a stopping node waits, after its last transaction, for clients to hang up. If it ended at once, whatever a client
 * had sent meanwhile, such as its next MAIL, would be answered with a reset, which may take away replies that the client
 * has not read yet, the one to its final dot among them.
 */
const lastWords = 2000

export interface Edge {
  /** Ports of the listeners, in their order. */
  readonly ports: readonly number[]
  readonly context: EdgeContext
}

/** Starts with a queue that is there. `own`: what the process found out about the cluster it runs in. */
export async function openEdge(
  service: Service,
  queue: AcceptPort,
  own: readonly ClusterNetwork[] = [],
): Promise<Edge> {
  const { settings, lifecycle, health, log } = service
  lifecycle.onStop('queue', () => queue.close())
  const users = settings.usersFile === undefined ? undefined : await loadUsers(settings.usersFile, log)
  const certificate = loadCertificate(settings, log)
  const sessions = new Sessions()
  const strangersLog = new LimitedLog(log)
  const context: EdgeContext = {
    node: settings.name,
    hostname: settings.hostname,
    limits: settings.limits,
    timeouts: settings.timeouts,
    greetingDelay: settings.greetingDelay,
    failedLoginDelay: settings.failedLoginDelay,
    queue,
    log,
    strangersLog,
    metrics: service.metrics,
    tracer: service.tracer,
    activities: lifecycle.activities,
    sessions,
    known: new KnownClients(),
    authenticator: users && new Authenticator(() => users.current, Date.now),
    nextId: queueIds(randomBytes(5)),
    now: Date.now,
  }
  const { metrics } = service
  metrics.sessions.from(() => sessions.size)
  if (certificate !== undefined) metrics.certificateExpiry.from(() => certificate.expiresAt / 1000)
  const cluster = clusterNetworks(settings.cluster, own)
  const listeners = settings.listeners.map((listener) => {
    tellOfCluster(listener, cluster, log)
    const networks = networksOf(listener.networks)
    const believed = networksOf(believedNetworks(listener, cluster))
    const balancers = new Balancers(context, listener.role, networksOf(listener.proxyFrom))
    const { reusePort } = settings
    return new Listener(context, { ...listener, networks, believed, balancers, reusePort, tls: certificate?.current })
  })
  for (const role of roles) {
    const its = listeners.filter((listener) => listener.role === role)
    metrics.listenerSessions.with({ role }).from(() => its.reduce((sum, { connections }) => sum + connections.size, 0))
  }
  certificate?.onChange((tls) => {
    for (const listener of listeners) listener.updateSecureContext(tls)
  })

  const queueCondition = health.condition('queue')
  const look = (): void => {
    const why = queue.notReady()
    if (why === undefined) queueCondition.ready()
    else queueCondition.notReady(why.reason)
  }
  look()
  const timer = setInterval(() => {
    sessions.tick(performance.now())
  }, 1000)
  const readiness = setInterval(look, 200)
  lifecycle.onStop('timers', () => {
    clearInterval(timer)
    clearInterval(readiness)
    strangersLog.close()
    users?.close()
    certificate?.close()
  })

  const ports: number[] = []
  lifecycle.onClose('listeners', async () => {
    for (const listener of listeners) listener.stopListening()
    sessions.leave()
    // The deadline counts from the beginning of the stop.
    const left = settings.stop.deadline - settings.stop.notReadyFor
    setTimeout(() => sessions.cutOff(), Math.max(left / 2, left - cutOffBefore)).unref()
    await lifecycle.activities.idle()
    await sessions.gone(Math.min(lastWords, left / 4))
  })
  for (const [index, listener] of listeners.entries()) {
    const port = await listener.open().catch((error: NodeJS.ErrnoException) => {
      throw listenError(error, index, settings.listeners[index])
    })
    ports.push(port)
    log.info({ role: listener.role, host: settings.listeners[index]?.host, port }, 'listening')
  }
  return { ports, context }
}

/** What the settings allow and somebody may not expect. */
function tellOfCluster(
  { role, networks, proxyFrom, allowClusterNetworks }: Service['settings']['listeners'][number],
  cluster: readonly ClusterNetwork[],
  log: Service['log'],
): void {
  if (role !== 'relay') return
  const hidden = (entries: readonly string[]) => entries.filter((entry) => whyHidden(entry, cluster) !== undefined)
  const inCluster = hidden(networks)
  if (inCluster.length > 0 && allowClusterNetworks) {
    log.warn(
      { networks: inCluster },
      'relays for networks of the cluster: for everybody who can reach it through the cluster',
    )
  } else if (inCluster.length > 0) {
    log.warn({ networks: inCluster }, 'networks of the cluster are served only when a load balancer names the client')
  }
  const balancers = hidden(proxyFrom)
  if (balancers.length > 0) {
    log.warn(
      { proxyFrom: balancers },
      'load balancers in the cluster: who else can reach this port from there can claim any address',
    )
  }
}

function networksOf(entries: readonly string[]): NetworkList {
  const networks = parseNetworks(entries)
  if ('invalid' in networks) throw new StartError('listeners', `no networks: ${networks.invalid.join(', ')}`)
  return networks
}

function listenError(error: NodeJS.ErrnoException, index: number, at?: { host: string; port: number }): StartError {
  const place = `${at?.host ?? ''}:${at?.port ?? ''}`
  const setting = `listeners[${index}].port`
  switch (error.code) {
    case 'EADDRINUSE':
      return new StartError(setting, `port ${at?.port ?? ''} on ${at?.host ?? ''} is taken by another process`, {
        cause: error,
      })
    case 'EACCES':
      return new StartError(setting, `no permission to listen on ${place}`, { cause: error })
    default:
      return new StartError(`listeners[${index}].host`, `cannot listen on ${place}: ${error.message}`, { cause: error })
  }
}
