/** The settings of an edge node. */
import { commonSettings, queueSettings } from '@posthouse/runtime/settings/common'
import { defineSettings } from '@posthouse/runtime/settings/table'
import type { Settings } from '@posthouse/runtime/settings/table'
import { roles } from './role.ts'

export const settingsTable = defineSettings({
  ...commonSettings,
  ...queueSettings,
  listeners: {
    type: 'objects',
    min: 1,
    help: 'Where mail is taken. Each has a role, an address and a port.',
    item: {
      role: {
        type: 'enum',
        values: roles,
        help: 'submission (STARTTLS, then log-in), submissions (implicit TLS, then log-in) or relay (listed networks).',
      },
      host: { type: 'string', format: 'ip', default: '0.0.0.0', help: 'Address to listen on.' },
      port: { type: 'integer', min: 0, max: 65535, help: 'Port; 0 takes a free one.' },
      networks: {
        type: 'list',
        format: 'cidr',
        default: [],
        help: 'Networks that may send without a log-in. For the role relay only, which refuses everybody else.',
      },
      proxyFrom: {
        type: 'list',
        format: 'cidr',
        default: [],
        help: 'Load balancers that begin each connection with a PROXY protocol header (version 1 or 2), which says whose it is; without one it is closed. Who comes from elsewhere sends none. These addresses themselves never send without a log-in.',
      },
      allowClusterNetworks: {
        type: 'boolean',
        default: false,
        help: "For the role relay only: serves the listed networks although they overlap the cluster's (cluster.networks). Right where nobody else can reach the port through the cluster; else everybody can send.",
      },
      bareNewlines: {
        type: 'enum',
        values: ['reject', 'normalise'],
        default: 'reject',
        help: "A CR or LF on its own: refused, or made a CRLF for old programs of one's own.",
      },
    },
  },
  'cluster.networks': {
    type: 'list',
    format: 'cidr',
    default: [],
    help: "Pod, service and node ranges of the cluster this node runs in. A connection from there may be anybody's, whose address was replaced on the way (SNAT): a relay listener that serves such addresses is refused at start, or, with proxyFrom, serves them only when the load balancer names them. In Kubernetes the networks of the pod count too; `posthouse config check`, which may run elsewhere, does not know them.",
  },
  'cluster.nodeAddresses': {
    type: 'list',
    format: 'ip',
    default: [],
    help: 'Addresses of the machine on which the pod of this node runs (status.hostIPs); they count like cluster.networks.',
  },
  reusePort: {
    type: 'boolean',
    default: false,
    help: 'Several edges of one machine share their ports; the kernel spreads the connections.',
  },
  local: {
    type: 'boolean',
    default: false,
    help: "For a machine of one's own only: makes a throw-away certificate when none is given.",
  },
  'tls.certFile': {
    type: 'string',
    format: 'path',
    optional: true,
    help: 'Certificate chain, PEM; read again when it changes, and used from when both files belong together.',
  },
  'tls.keyFile': {
    type: 'string',
    format: 'path',
    optional: true,
    help: 'Private key, PEM; read again when it changes.',
  },
  usersFile: {
    type: 'string',
    format: 'path',
    optional: true,
    help: 'Who may log in, written by `posthouse user`. A user may have `passwordFile` there in place of `hash`: a file, relative to this one, that holds the password itself, 12 characters at least. Read again when one of the files changes. Needed by submission and submissions.',
  },
  'limits.messageSize': {
    type: 'bytes',
    min: '64KiB',
    max: '2GiB',
    default: '64MiB',
    help: 'Largest message; offered as SIZE and enforced while it comes in.',
  },
  'limits.recipients': {
    type: 'integer',
    min: 100,
    max: 50_000,
    unit: 'recipients',
    default: 1000,
    help: 'Recipients of one message; RFC 5321 wants at least 100.',
  },
  'limits.connections': {
    type: 'integer',
    min: 1,
    max: 100_000,
    unit: 'connections',
    default: 2000,
    help: 'Connections of this node; more are answered 421. Each may hold 256 KiB of a message in memory.',
  },
  'limits.connectionsPerClient': {
    type: 'integer',
    min: 1,
    max: 100_000,
    unit: 'connections',
    default: 500,
    help: 'Connections of one client address (IPv6: /64); listed networks and load balancers are exempt.',
  },
  'limits.dataRate': {
    type: 'bytes',
    min: '1B',
    max: '1MiB',
    default: '100B',
    help: 'Bytes a second a client must send on average while it sends a message, after the first 30 seconds.',
  },
  'timeouts.command': {
    type: 'duration',
    min: '1s',
    max: '1h',
    default: '5m',
    help: 'Longest wait for the next command; RFC 5321 wants 5 minutes.',
  },
  'timeouts.session': {
    type: 'duration',
    min: '10s',
    max: '7d',
    default: '2h',
    help: 'Longest session; the client connects anew.',
  },
  greetingDelay: {
    type: 'duration',
    min: '0s',
    max: '30s',
    default: '100ms',
    help: 'How long strangers wait for the greeting; who talks before it is refused. Listed and lately logged-in networks do not wait.',
  },
  failedLoginDelay: {
    type: 'duration',
    min: '0s',
    max: '30s',
    default: '1s',
    help: 'How long the answer to a wrong password takes; doubles with every further one of a session.',
  },
})

export type EdgeSettings = Settings<typeof settingsTable>
