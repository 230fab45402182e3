/** How one connection dials: to which server of the cluster, as whom, and how soon it gives one up. */
import type { ConnectionOptions, Server, TlsOptions } from 'nats'
import type { QueueLog } from '../log.ts'
import { expectCertificateOf, tlsOptions, type NatsTls } from './nats-tls.ts'

export interface LinkOptions {
  readonly servers: readonly string[]
  readonly user: string | undefined
  readonly password: string | undefined
  readonly tls: NatsTls | undefined
  /** Subjects below it are this user's to hear answers on; undefined: the usual ones. */
  readonly inboxPrefix: string | undefined
  readonly name: string
  readonly log: QueueLog
  /** Where the other connection is: this one goes elsewhere if it can. */
  readonly avoid: () => string | undefined
}

/** The server that was tried or lost longest ago, but not the one that the other connection is at. */
function serverChoice() {
  const triedAt = new Map<string, number>()
  let last: string | undefined
  return (servers: readonly Server[], avoid: string | undefined): Server | null => {
    const now = performance.now()
    if (last !== undefined) triedAt.set(last, now)
    let best: Server | null = null
    for (const server of servers) {
      const better = best === null || (triedAt.get(server.listen) ?? 0) < (triedAt.get(best.listen) ?? 0)
      if (better && (server.listen !== avoid || servers.length === 1)) best = server
    }
    last = best?.listen
    return best
  }
}

export function connectionOptions(options: LinkOptions): ConnectionOptions {
  const choose = serverChoice()
  const tls: TlsOptions | undefined = options.tls && tlsOptions(options.tls)
  return {
    servers: [...options.servers],
    name: options.name,
    ...(options.user === undefined ? {} : { user: options.user }),
    ...(options.password === undefined ? {} : { pass: options.password }),
    ...(tls === undefined ? {} : { tls }),
    ...(options.inboxPrefix === undefined ? {} : { inboxPrefix: options.inboxPrefix }),
    // Dial another server after 1 to 1.5 s of silence, without a pause for the first try.
    pingInterval: 500,
    maxPingOut: 2,
    timeout: 1500,
    reconnect: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 150,
    reconnectJitter: 100,
    reconnectJitterTLS: 100,
    waitOnFirstConnect: false,
    // Only the servers of the settings: what a server tells about itself may not be reachable from here.
    ignoreClusterUpdates: true,
    ignoreAuthErrorAbort: true,
    noAsyncTraces: true,
    reconnectToServer: (servers) => {
      const server = choose(servers, options.avoid())
      if (tls !== undefined && server !== null) expectCertificateOf(tls, server)
      return server
    },
  }
}
