/** The metrics of a delivery node. */
import { LATENCY_SECONDS, defineMetrics } from '@posthouse/runtime/metrics/table'

/** Series of a metric with one for each destination, or way out, at most. */
export const MOST_SHOWN = 20

/** What an attempt came to: with a connection, and without one. */
export const attemptResults = [
  'delivered',
  'temporary',
  'permanent',
  'mixed',
  'no_reply',
  'unreachable',
  'unroutable',
  'cut_off',
] as const

/** The usual codes; the rest by their first digit, so that `code=~"4.."` finds all of a class; none: no reply came. */
// prettier-ignore
export const replyCodes = [
  '250', '251', '252', '2xx',
  '421', '450', '451', '452', '454', '455', '4xx',
  '500', '501', '502', '503', '504', '521', '523', '530', '535', '550', '551', '552', '553', '554', '555', '556', '5xx',
  'none',
] as const

export const outcomes = ['delivered', 'deferred', 'parked', 'bounced', 'expired'] as const

export const metricsTable = defineMetrics({
  transactions: {
    kind: 'counter',
    name: 'posthouse_delivery_transactions_total',
    help: 'SMTP transactions begun. Act when it stays flat while the queue is not empty.',
  },
  recipients: {
    kind: 'counter',
    name: 'posthouse_delivery_recipients_total',
    help: 'Recipients by what became of them. Act when deferred or bounced grow faster than delivered: look at the log for the reply.',
    labels: { outcome: outcomes },
  },
  attempts: {
    kind: 'counter',
    name: 'posthouse_delivery_attempts_total',
    help: 'Attempts by result: all recipients delivered, all temporary, all permanent, mixed, no_reply (the connection was lost, or the replies made no sense); and without a connection: unreachable, unroutable, cut_off (no way out of our own works). Act when the share of delivered falls; on any cut_off look at egress.',
    labels: { result: attemptResults },
  },
  replies: {
    kind: 'counter',
    name: 'posthouse_delivery_replies_total',
    help: 'Recipients by the code of the reply that decided; code=~"4.." is all of a class, none is no reply. Act when one code jumps: 421 and 451 are hosts that want less, 550 and 554 may be a block list.',
    labels: { code: replyCodes },
  },
  transactionSeconds: {
    kind: 'histogram',
    name: 'posthouse_delivery_transaction_seconds',
    help: 'From MAIL to the last reply of a transaction. Act when the 99th percentile nears a minute: hosts are slow, and connections are held.',
    buckets: LATENCY_SECONDS,
  },
  deliveredSeconds: {
    kind: 'histogram',
    name: 'posthouse_delivery_accepted_to_delivered_seconds',
    help: 'From the acceptance at the edge to the reply of the next host. Act when the median rises while nothing is deferred.',
    buckets: [...LATENCY_SECONDS, 300, 3600, 86_400],
  },
  possibleDuplicates: {
    kind: 'counter',
    name: 'posthouse_delivery_possible_duplicates_total',
    help: 'Recipients that may get the message twice: a node or a connection died between the final dot and the stored outcome. Act when it grows while no node was killed.',
  },
  entrySeconds: {
    kind: 'histogram',
    name: 'posthouse_delivery_entry_seconds',
    help: 'From writing an entry with outcomes to the queue until it is stored. Act when it nears 0.25 s: no final dot goes out then.',
    buckets: LATENCY_SECONDS,
    labels: { kind: ['outcome', 'later'] },
  },
  lostAfterDot: {
    kind: 'counter',
    name: 'posthouse_delivery_lost_after_dot_total',
    help: 'Connections lost between the final dot and its reply: possible duplicates. Act when it grows: a host answers too late, or timeouts.final is too short.',
  },
  fenced: {
    kind: 'counter',
    name: 'posthouse_delivery_fenced_total',
    help: 'Transactions dropped before their final dot because the lease had no margin. Act on more than a few: look at NATS.',
  },
  lostEvents: {
    kind: 'counter',
    name: 'posthouse_delivery_lost_events_total',
    help: 'Events of deferrals and bounces for which the log of a partition had no room: readers may never hear of them. Act on any: the queue is full.',
  },
  sweptBodies: {
    kind: 'counter',
    name: 'posthouse_delivery_swept_bodies_total',
    help: 'Large contents purged because no message refers to them: an edge died while it took them in. Act when it grows while no edge was killed.',
  },
  connections: {
    kind: 'gauge',
    name: 'posthouse_delivery_connections',
    help: 'Connections open now. Act when it nears limits.connections.',
  },
  destinationConnections: {
    kind: 'gauge',
    name: 'posthouse_delivery_destination_connections',
    help: 'Connections open or being opened now, by destination. Act when one of them holds most of limits.connections: lower limits.connectionsPerDestination.',
    labels: { destination: { top: MOST_SHOWN } },
  },
  destinationReady: {
    kind: 'gauge',
    name: 'posthouse_delivery_destination_ready',
    help: 'Transactions that wait in memory for a connection, by destination. Act when one stays: the site is slow or limits us.',
    labels: { destination: { top: MOST_SHOWN } },
  },
  destinationsBackedOff: {
    kind: 'gauge',
    name: 'posthouse_delivery_destinations_backed_off',
    help: 'Destinations left alone for a while because nobody there answers. Act when it jumps: the network, the DNS or a way out has failed.',
  },
  partitionsOwned: {
    kind: 'gauge',
    name: 'posthouse_delivery_partitions_owned',
    help: 'Partitions of the queue that this node owns. Act when the sum over all nodes stays below queue.partitions: mail of the missing ones waits.',
  },
  exitConnections: {
    kind: 'gauge',
    name: 'posthouse_delivery_exit_connections',
    help: 'Connections open now by way out: a source address, a proxy, or "direct". Act when one of several stays at zero.',
    labels: { exit: { top: MOST_SHOWN } },
  },
  exitFailing: {
    kind: 'gauge',
    name: 'posthouse_delivery_exit_failing',
    help: '1 for a source address or proxy that is avoided because it fails, 0 for one that works. Act on any 1: the log says why.',
    labels: { exit: { top: MOST_SHOWN } },
  },
  dnsLookups: {
    kind: 'counter',
    name: 'posthouse_delivery_dns_lookups_total',
    help: 'Questions to the DNS (what is remembered is not asked) by result; host is the name of a configured host or proxy. Act when failed grows: look at the resolver; nothing is returned for it.',
    labels: { type: ['mx', 'a', 'aaaa', 'host'], result: ['found', 'none', 'no_such_name', 'failed'] },
  },
  connectionsOpened: {
    kind: 'counter',
    name: 'posthouse_delivery_connections_opened_total',
    help: 'Connections by result of opening them. Act when failed outgrows the others: network, DNS or the next host.',
    labels: { result: ['tls', 'plain', 'failed'] },
  },
  tlsConnections: {
    kind: 'counter',
    name: 'posthouse_delivery_tls_connections_total',
    help: 'Encrypted connections by version. Act when old versions come from hosts that matter.',
    labels: { version: ['TLSv1.2', 'TLSv1.3', 'other'] },
  },
  ready: {
    kind: 'gauge',
    name: 'posthouse_delivery_ready',
    help: 'Transactions that wait for a connection. Act when it stays high: raise limits.connectionsPerDestination or add nodes.',
  },
  destinations: {
    kind: 'gauge',
    name: 'posthouse_delivery_destinations',
    help: 'Destinations with work, connections or a back-off.',
  },
})
