/** The settings of a delivery node. */
import { commonSettings, queueSettings } from '@posthouse/runtime/settings/common'
import { queueRules } from '@posthouse/runtime/settings/queue-options'
import { defineSettings } from '@posthouse/runtime/settings/table'
import type { Settings } from '@posthouse/runtime/settings/table'

export const settingsTable = defineSettings({
  ...commonSettings,
  ...queueSettings,
  'queue.sweepBodiesAfter': {
    type: 'duration',
    min: '12h',
    max: '30d',
    default: '1d',
    help: 'Contents over 256 KiB whose message never came, as an edge died, are purged when they are so old. A message may come for 6 hours; the rest is for clocks that differ.',
  },
  'route.smarthosts': {
    type: 'list',
    format: 'host:port',
    default: [],
    help: 'All mail goes to the first of these that answers; empty: to the MX hosts of each domain.',
  },
  'route.port': {
    type: 'integer',
    min: 1,
    max: 65535,
    default: 25,
    help: 'Port of MX hosts; another than 25 only in tests.',
  },
  'route.ownNames': {
    type: 'list',
    format: 'host',
    default: [],
    help: 'Names under which this system takes mail, besides hostname: an MX host of that name would be a loop.',
  },
  'route.ownAddresses': {
    type: 'list',
    format: 'cidr',
    default: ['127.0.0.0/8', '0.0.0.0/8', '::1/128', '::/128'],
    help: 'Addresses under which this system takes mail: an MX host there would be a loop.',
  },
  'dns.servers': {
    type: 'list',
    format: 'host:port',
    default: [],
    help: 'DNS servers, as addresses with port; empty: those of the machine.',
  },
  'dns.timeout': {
    type: 'duration',
    min: '100ms',
    max: '30s',
    default: '3s',
    help: 'How long one DNS server is waited for; each is asked twice.',
  },
  'dns.cacheFor': {
    type: 'duration',
    min: '0s',
    max: '1h',
    default: '5m',
    help: 'Longest time an answer of the DNS is used again; shorter if its time to live is.',
  },
  tls: {
    type: 'enum',
    values: ['opportunistic', 'off'],
    default: 'opportunistic',
    help: 'opportunistic: TLS where the host offers it, whatever its certificate, plain if the handshake fails.',
  },
  'retry.first': {
    type: 'duration',
    min: '1s',
    max: '1d',
    default: '30s',
    help: 'Wait after the first failed attempt; it doubles with each further one.',
  },
  'retry.longest': {
    type: 'duration',
    min: '1s',
    max: '1d',
    default: '1h',
    help: 'Longest wait between two attempts.',
  },
  lifetime: {
    type: 'duration',
    min: '1m',
    max: '30d',
    default: '5d',
    help: 'How long a message is tried before it goes back to its sender; RFC 5321 wants 4 to 5 days.',
  },
  'limits.connections': {
    type: 'integer',
    min: 1,
    max: 20_000,
    unit: 'connections',
    default: 500,
    help: 'Connections of this node to all destinations together.',
  },
  'limits.connectionsPerDestination': {
    type: 'integer',
    min: 1,
    max: 1000,
    unit: 'connections',
    default: 20,
    help: 'Connections of this node to one destination (a domain, or the smarthosts).',
  },
  'limits.messagesPerConnection': {
    type: 'integer',
    min: 1,
    max: 100_000,
    unit: 'messages',
    default: 500,
    help: 'After so many messages a connection is closed and, if need be, opened anew.',
  },
  'limits.recipientsPerTransaction': {
    type: 'integer',
    min: 1,
    max: 1000,
    unit: 'recipients',
    default: 100,
    help: 'Recipients of one message that go in one transaction.',
  },
  'limits.readyPerDestination': {
    type: 'integer',
    min: 1,
    max: 100_000,
    unit: 'transactions',
    default: 2000,
    help: 'Transactions that wait in memory for one domain; more stay in the queue.',
  },
  'timeouts.connect': {
    type: 'duration',
    min: '1s',
    max: '10m',
    default: '30s',
    help: 'Wait for a TCP connection to one address.',
  },
  'timeouts.greeting': {
    type: 'duration',
    min: '1s',
    max: '30m',
    default: '5m',
    help: 'Wait for the greeting; RFC 5321 wants 5 minutes.',
  },
  'timeouts.command': {
    type: 'duration',
    min: '1s',
    max: '30m',
    default: '5m',
    help: 'Wait for the reply to EHLO, STARTTLS, MAIL and RCPT; RFC 5321 wants 5 minutes.',
  },
  'timeouts.data': {
    type: 'duration',
    min: '1s',
    max: '30m',
    default: '2m',
    help: 'Wait for the reply to DATA; RFC 5321 wants 2 minutes.',
  },
  'timeouts.block': {
    type: 'duration',
    min: '1s',
    max: '30m',
    default: '3m',
    help: 'Wait for the host to take a block of the content; RFC 5321 wants 3 minutes.',
  },
  'timeouts.final': {
    type: 'duration',
    min: '1s',
    max: '30m',
    default: '10m',
    help: 'Wait for the reply to the final dot; RFC 5321 wants 10 minutes. Too short makes duplicates.',
  },
  'timeouts.idle': {
    type: 'duration',
    min: '100ms',
    max: '5m',
    default: '10s',
    help: 'How long a connection without work is kept for the next message.',
  },
})

export type DeliverySettings = Settings<typeof settingsTable>

/** What the table cannot say. */
export function settingsRules(settings: DeliverySettings): string[] {
  const { retry, lifetime, limits } = settings
  const wrong = queueRules(settings)
  if (retry.first > retry.longest) wrong.push('retry.first: must not be longer than retry.longest')
  if (retry.first > lifetime) wrong.push('retry.first: must not be longer than lifetime')
  if (limits.connectionsPerDestination > limits.connections)
    wrong.push('limits.connectionsPerDestination: must not be more than limits.connections')
  return wrong
}
