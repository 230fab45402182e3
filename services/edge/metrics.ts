/** The metrics of an edge node. */
import { LATENCY_SECONDS, defineMetrics } from '@posthouse/runtime/metrics/table'
import { refusals } from './replies.ts'
import { roles } from './role.ts'

export const metricsTable = defineMetrics({
  connections: {
    kind: 'counter',
    name: 'posthouse_edge_connections_total',
    help: 'Connections taken, by listener role. Act when it stays at zero while clients complain: look at the load balancer.',
    labels: { role: roles },
  },
  proxyHeaders: {
    kind: 'counter',
    name: 'posthouse_edge_proxy_headers_total',
    help: 'Connections from listeners[].proxyFrom by their PROXY header: client, local (the balancer itself: a health check), closed before it came, late (5 s) or invalid. Act on any late or invalid: something there sends no header, and is closed without a reply.',
    labels: { result: ['client', 'local', 'closed', 'late', 'invalid'] },
  },
  sessions: {
    kind: 'gauge',
    name: 'posthouse_edge_sessions',
    help: 'Sessions open now. Act when it nears limits.connections: add edges or find the client that keeps them open.',
  },
  accepted: {
    kind: 'counter',
    name: 'posthouse_edge_messages_accepted_total',
    help: 'Messages answered with 250 after the queue had stored them, by listener role.',
    labels: { role: roles },
  },
  acceptedRecipients: {
    kind: 'counter',
    name: 'posthouse_edge_recipients_accepted_total',
    help: 'Recipients of accepted messages.',
  },
  acceptedBytes: {
    kind: 'counter',
    name: 'posthouse_edge_accepted_bytes_total',
    help: 'Content of accepted messages.',
  },
  acceptSeconds: {
    kind: 'histogram',
    name: 'posthouse_edge_accept_seconds',
    help: 'From the final dot to the reply. Act when the 99th percentile passes a second: the queue is slow or loses servers.',
    buckets: LATENCY_SECONDS,
  },
  batchRecords: {
    kind: 'histogram',
    name: 'posthouse_edge_batch_records',
    help: 'Messages that went to the queue in one publish. Grows with the load; this is what makes it cheap.',
    buckets: [1, 2, 4, 8, 16, 32, 64, 128],
  },
  publishSeconds: {
    kind: 'histogram',
    name: 'posthouse_edge_publish_seconds',
    help: 'From the first publish of a batch until the queue had stored it. Act when the 99th percentile passes a second.',
    buckets: LATENCY_SECONDS,
  },
  publishRepeated: {
    kind: 'counter',
    name: 'posthouse_edge_publish_repeated_total',
    help: 'Batches published again because no answer came. Act when it rises steadily: a NATS server or a link is failing.',
  },
  unknown: {
    kind: 'counter',
    name: 'posthouse_edge_fate_unknown_total',
    help: 'Sessions closed without a reply because nobody could tell whether the queue stored the message. Act on any: look at NATS.',
  },
  refused: {
    kind: 'counter',
    name: 'posthouse_edge_refused_total',
    help: 'Replies of 4xx and 5xx by reason. Act when queueFull or queueUnavailable rise.',
    labels: { reason: refusals },
  },
  logins: {
    kind: 'counter',
    name: 'posthouse_edge_logins_total',
    help: 'Log-ins by result. Act when "wrong" jumps: somebody guesses passwords.',
    labels: { result: ['ok', 'cached', 'wrong', 'busy', 'blocked'] },
  },
})
