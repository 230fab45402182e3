// The configuration file of one nats-server, as text: JetStream with an fsync per group of writes, one user that may do
// everything and others that may not, TLS if wanted, a monitoring port on loopback. Several servers form a cluster by
// their routes.

import { natsAccounts, type NatsUser } from './nats-accounts.ts'

export interface NatsPorts {
  readonly client: number
  readonly cluster: number
  readonly monitor: number
}

/** For clients and between the servers, who show each other the same certificate. */
export interface NatsServerTls {
  readonly caFile: string
  readonly certFile: string
  readonly keyFile: string
  /** Clients, too, must show a certificate. */
  readonly verifyClients?: boolean
}

export interface NatsServerSettings {
  readonly name: string
  readonly host: string
  readonly ports: NatsPorts
  /** HOST:PORT of the routes of all servers of the cluster, this one's included; one entry means no cluster. */
  readonly routes: readonly string[]
  /** Where the others and the clients are told to reach it, if not where it listens: behind a proxy. */
  readonly advertised?: Pick<NatsPorts, 'client' | 'cluster'>
  readonly clusterName: string
  readonly user: string
  readonly password: string
  /** Beside the one above, which is in the account of the streams. */
  readonly users?: readonly NatsUser[]
  readonly tls?: NatsServerTls
  readonly storeDir: string
  readonly logFile: string
  /** Shown by the monitoring port: tells this server from another one that took the port before it. */
  readonly tag: string
  /** Bytes that JetStream may take on disk; stream limits are reserved against it. */
  readonly maxFileStore: number
  /** How long a stored message may wait for its fsync; anything but `always` loses mail when the power fails. */
  readonly syncInterval?: 'always' | '2m'
}

const text = (value: string) => JSON.stringify(value)

function tlsBlock({ caFile, certFile, keyFile }: NatsServerTls, verify: boolean): string {
  return `tls { ca_file: ${text(caFile)}, cert_file: ${text(certFile)}, key_file: ${text(keyFile)}, verify: ${verify} }`
}

export function natsConfig(s: NatsServerSettings): string {
  const login = `{ user: ${text(s.user)}, password: ${text(s.password)} }`
  const lines = [
    `server_name: ${text(s.name)}`,
    `server_tags: [${text(s.tag)}]`,
    `listen: "${s.host}:${s.ports.client}"`,
    `http: "${s.host}:${s.ports.monitor}"`,
    `log_file: ${text(s.logFile)}`,
    `logfile_size_limit: 16MB`,
    `logfile_max_num: 3`,
    ...(s.users === undefined ? [`authorization ${login}`] : natsAccounts(s.users, login)),
    ...(s.tls === undefined ? [] : [tlsBlock(s.tls, s.tls.verifyClients ?? false)]),
    // Clients that vanished without a word are let go after about 15 s; unquoted, a duration would be a bare number.
    `ping_interval: "5s"`,
    `ping_max: 2`,
    `jetstream {`,
    `  store_dir: ${text(s.storeDir)}`,
    // An answer of a server is not taken for a request.
    `  strict: true`,
    `  sync_interval: ${text(s.syncInterval ?? 'always')}`,
    `  max_file_store: ${s.maxFileStore}`,
    `  max_memory_store: ${64 * 1024 * 1024}`,
    `}`,
  ]
  if (s.advertised !== undefined) lines.push(`client_advertise: "${s.host}:${s.advertised.client}"`)
  if (s.routes.length > 1) {
    const user = encodeURIComponent(s.user)
    const password = encodeURIComponent(s.password)
    const routes = s.routes.map((place) => `"nats://${user}:${password}@${place}"`)
    lines.push(
      `cluster {`,
      `  name: ${text(s.clusterName)}`,
      `  listen: "${s.host}:${s.ports.cluster}"`,
      `  authorization ${login}`,
      ...(s.tls === undefined ? [] : [`  ${tlsBlock(s.tls, true)}`]),
      `  routes: [${routes.join(', ')}]`,
      `  ping_interval: "2s"`,
      `  ping_max: 2`,
      ...(s.advertised === undefined ? [] : [`  advertise: "${s.host}:${s.advertised.cluster}"`]),
      `}`,
    )
  }
  return lines.join('\n') + '\n'
}
