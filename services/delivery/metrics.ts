/** The metrics of a delivery node. */
import { LATENCY_SECONDS, defineMetrics } from '@posthouse/runtime/metrics/table'

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
  connectionsOpened: {
    kind: 'counter',
    name: 'posthouse_delivery_connections_opened_total',
    help: 'Connections by result of opening them. Act when failed outgrows the others: network, DNS or the next host.',
    labels: { result: ['tls', 'plain', 'failed'] },
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
