/** The metrics of an edge node. */
import { LATENCY_SECONDS, defineMetrics } from '@posthouse/runtime/metrics/table'
import { refusals } from './replies.ts'
import { roles } from './role.ts'

/** First digit of a reply's code (RFC 5321, 4.2.1). */
export const replyClasses = ['2xx', '3xx', '4xx', '5xx'] as const
/** What a listener speaks; older ones are refused. */
export const tlsVersions = ['TLSv1.2', 'TLSv1.3'] as const
/** What an edge may think of a partition. */
export const partitionStates = ['usable', 'leaderless', 'full', 'silent'] as const

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
  listenerSessions: {
    kind: 'gauge',
    name: 'posthouse_edge_listener_sessions',
    help: 'Sessions open now, by listener role. Act as for posthouse_edge_sessions; this one says who they are.',
    labels: { role: roles },
  },
  replies: {
    kind: 'counter',
    name: 'posthouse_edge_replies_total',
    help: 'Replies by the first digit of their code; the greeting is none. posthouse_edge_refused_total says why for 4xx and 5xx. Act when 4xx outgrow 2xx: clients are put off.',
    labels: { class: replyClasses },
  },
  tlsSessions: {
    kind: 'counter',
    name: 'posthouse_edge_tls_sessions_total',
    help: 'Sessions encrypted, by STARTTLS or from their beginning, by version. Act when it stays at zero while clients should encrypt.',
    labels: { version: tlsVersions },
  },
  tlsFailed: {
    kind: 'counter',
    name: 'posthouse_edge_tls_failed_total',
    help: 'TLS handshakes that failed. Act when it jumps: the certificate is not what clients expect, or somebody scans.',
  },
  certificateExpiry: {
    kind: 'gauge',
    name: 'posthouse_edge_certificate_expiry_timestamp_seconds',
    help: 'When the certificate in use expires, as Unix time; 0 without a certificate. Days left: (posthouse_edge_certificate_expiry_timestamp_seconds - time()) / 86400. Act below 14 days, where the value is above 0.',
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
  untoldAcceptances: {
    kind: 'counter',
    name: 'posthouse_edge_untold_acceptances_total',
    help: 'Accepted messages that wait for delivery and that could not be told of in the log: readers of events hear of them with their first outcome. Act when it grows: the log is full, or its partition has no leader.',
  },
  unknown: {
    kind: 'counter',
    name: 'posthouse_edge_fate_unknown_total',
    help: 'Sessions closed without a reply because nobody could tell whether the queue stored the message. Act on any: look at NATS.',
  },
  recordsRefused: {
    kind: 'counter',
    name: 'posthouse_edge_queue_refused_total',
    help: 'Messages that surely were not stored, because the queue is full or has no quorum; each client got 452 or 451. Act on any "full"; on "unavailable" that lasts: look at NATS.',
    labels: { why: ['full', 'unavailable'] },
  },
  partitions: {
    kind: 'gauge',
    name: 'posthouse_edge_partitions',
    help: 'Partitions of the queue as this edge sees them: usable, leaderless, full, or silent (the last publish has no answer yet and should have). Act when any is leaderless for more than 30 s: look at NATS; with none usable no mail is taken.',
    labels: { state: partitionStates },
  },
  queueUsed: {
    kind: 'gauge',
    name: 'posthouse_edge_queue_used_ratio',
    help: 'Used part of the fullest partition, 0 to 1. Act above 0.6: at 0.8 mail is refused.',
  },
  waitingMessages: {
    kind: 'gauge',
    name: 'posthouse_edge_queue_waiting_messages',
    help: 'Messages given to the queue that have no answer yet. Act when it stays high: the queue is slow.',
  },
  waitingBytes: {
    kind: 'gauge',
    name: 'posthouse_edge_queue_waiting_bytes',
    help: 'Bytes of messages held in memory until the queue answers. Act when it grows steadily: at a bound mail is refused with 451.',
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
