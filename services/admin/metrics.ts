/**
 * The metrics of an admin node. Those of the queue and of NATS (posthouse_queue_*, posthouse_nats_*) are of the whole
 * cluster: of several admin nodes one exports them at a time, and the others have no such series, not even zeros. So a sum or a
 * count over them is right, whoever is asked; what is not known (an age when nothing waits) is left out too.
 */
import { eventTypes } from '@posthouse/core/event'
import { LATENCY_SECONDS, defineMetrics } from '@posthouse/runtime/metrics/table'

/** As `queue.partitions` allows. */
const partition = { below: 64 }
/** Contents of a partition's three streams. */
export const streamKinds = ['mail', 'log', 'body'] as const
const stream = { kind: streamKinds, partition } as const

export const MOST_DESTINATIONS = 20
export const MOST_SERVERS = 32
export const MOST_WEBHOOKS = 50

/** How a request to a webhook ended. */
export const webhookResults = ['delivered', 'failed', 'gone'] as const
/** How a question for the story of messages ended. */
export const traceResults = ['found', 'none', 'failed'] as const
/** Why the index was built anew from the logs. */
export const rebuildReasons = ['version', 'corrupt'] as const

export const metricsTable = defineMetrics({
  exports: {
    kind: 'gauge',
    name: 'posthouse_admin_exports',
    help: '1 for the admin node that exports posthouse_queue_* and the streams and servers of posthouse_nats_*, and sends to webhooks; 0 for the others. Act when the sum is not 1 for minutes: no admin node reaches NATS, or they do not hear each other.',
  },

  // The queue, by partition.
  queueOwned: {
    kind: 'gauge',
    name: 'posthouse_queue_owned',
    help: '1 if a delivery node owns the partition and says so, else 0. Act on 0 for more than 30 s: its mail is not delivered; look at the delivery nodes.',
    labels: { partition },
  },
  queueReady: {
    kind: 'gauge',
    name: 'posthouse_queue_ready_recipients',
    help: 'Recipients that wait for their first attempt, those in flight included. Act when it grows for minutes: delivery is slower than acceptance; add delivery nodes or connections.',
    labels: { partition },
  },
  queueInFlight: {
    kind: 'gauge',
    name: 'posthouse_queue_in_flight_recipients',
    help: 'Recipients that are being tried now. Act on 0 while ready recipients wait.',
    labels: { partition },
  },
  queueLater: {
    kind: 'gauge',
    name: 'posthouse_queue_later_recipients',
    help: 'Recipients that were deferred, parked or held, and are due later. Act when it grows for an hour: the destinations below say whose they are.',
    labels: { partition },
  },
  queueBytes: {
    kind: 'gauge',
    name: 'posthouse_queue_bytes',
    help: 'Bytes of the batches in the queue that have something open. For the room that is left see posthouse_nats_stream_bytes.',
    labels: { partition },
  },
  queueOldestAge: {
    kind: 'gauge',
    name: 'posthouse_queue_oldest_age_seconds',
    help: 'Age of the oldest message in the partition that is still open, since its acceptance; 0 when nothing is open, no series before its owner has spoken. Act above what users bear while posthouse_queue_ready_recipients is not 0; a deferred message may be as old as the setting lifetime.',
    labels: { partition },
  },
  queueWordsAge: {
    kind: 'gauge',
    name: 'posthouse_queue_words_age_seconds',
    help: 'How long ago the owner said the figures of the partition. Act above 15 s: they are old, and the owner is dead or cut off.',
    labels: { partition },
  },
  destinationLater: {
    kind: 'gauge',
    name: 'posthouse_queue_destination_later_recipients',
    help: 'Deferred, parked and held recipients of the 20 destinations that have most of them. Act when one stands out: try it with `posthouse probe`, look at its replies with `posthouse trace`.',
    labels: { destination: { top: MOST_DESTINATIONS } },
  },
  destinationOldestAge: {
    kind: 'gauge',
    name: 'posthouse_queue_destination_oldest_age_seconds',
    help: 'Age of the oldest waiting message of the same 20 destinations. Act above some hours: the senders get a report at the setting lifetime.',
    labels: { destination: { top: MOST_DESTINATIONS } },
  },

  // NATS, as seen from here.
  natsConnected: {
    kind: 'gauge',
    name: 'posthouse_nats_connected',
    help: '1 if this admin node reaches a NATS server; each admin node says it for itself. Act when all say 0: NATS is down or cut off, and no mail is taken.',
  },
  natsViewAge: {
    kind: 'gauge',
    name: 'posthouse_nats_view_age_seconds',
    help: 'How long ago the servers were last asked for what the other posthouse_nats_* say. Act above 60 s: they do not answer.',
  },
  serverOnline: {
    kind: 'gauge',
    name: 'posthouse_nats_server_online',
    help: '1 for a NATS server that the others or this node reach, else 0. Act on any 0: one more may stop the queue.',
    labels: { server: { top: MOST_SERVERS } },
  },
  serverLeads: {
    kind: 'gauge',
    name: 'posthouse_nats_server_leads',
    help: 'Streams that the server leads. Act when one leads nearly all for an hour: the delivery nodes should have spread them.',
    labels: { server: { top: MOST_SERVERS } },
  },
  streamLeader: {
    kind: 'gauge',
    name: 'posthouse_nats_stream_leader',
    help: '1 if the stream has a leader that answers, else 0. Act on 0 for more than 30 s: the partition takes and delivers no mail.',
    labels: stream,
  },
  streamReplicas: {
    kind: 'gauge',
    name: 'posthouse_nats_stream_replicas',
    help: 'Replicas that the stream has, its leader included. Act when below queue.replicas.',
    labels: stream,
  },
  streamReplicasBehind: {
    kind: 'gauge',
    name: 'posthouse_nats_stream_replicas_behind',
    help: 'Replicas that are offline or lag. Act on any that stays for 5 minutes: one more failure may stop the partition. Stop no other server meanwhile.',
    labels: stream,
  },
  streamLag: {
    kind: 'gauge',
    name: 'posthouse_nats_stream_lag_operations',
    help: 'Operations that the last of the replicas lacks. Act when it does not fall: that server is too slow, or stuck.',
    labels: stream,
  },
  streamMessages: {
    kind: 'gauge',
    name: 'posthouse_nats_stream_messages',
    help: 'Messages in the stream: batches of mail, entries of the log, chunks of large bodies.',
    labels: stream,
  },
  streamBytes: {
    kind: 'gauge',
    name: 'posthouse_nats_stream_bytes',
    help: 'Bytes in the stream on each of its replicas. Act when a mail stream is above 0.6 of posthouse_nats_stream_max_bytes: at 0.8 mail is refused.',
    labels: stream,
  },
  streamMaxBytes: {
    kind: 'gauge',
    name: 'posthouse_nats_stream_max_bytes',
    help: 'Bytes that the stream may have; it follows from queue.storage.',
    labels: stream,
  },
  storageUsed: {
    kind: 'gauge',
    name: 'posthouse_nats_storage_used_bytes',
    help: 'Bytes of all streams and their replicas, as the account counts them. Act above 0.8 of posthouse_nats_storage_limit_bytes.',
  },
  storageLimit: {
    kind: 'gauge',
    name: 'posthouse_nats_storage_limit_bytes',
    help: 'Bytes that the account may have; no series when it has no limit.',
  },

  // The index of the events.
  events: {
    kind: 'counter',
    name: 'posthouse_admin_events_total',
    help: 'Events written to the index of this node, by type. Act when flat while mail flows.',
    labels: { type: eventTypes },
  },
  eventsRepeated: {
    kind: 'counter',
    name: 'posthouse_admin_events_repeated_total',
    help: 'Events read that the index had already: normal for some of the type accepted, and after a restart.',
  },
  gaps: {
    kind: 'counter',
    name: 'posthouse_admin_event_gaps_total',
    help: 'Times that entries had been removed from a log before this node read them: their events are missing here. Act on any that does not come with a first start: the node was away for too long.',
  },
  projectionSeconds: {
    kind: 'histogram',
    name: 'posthouse_admin_projection_seconds',
    help: 'Time to write one batch of events to the index. Act when the 99th percentile nears 1 s: the disk is too slow, and this process answers nothing meanwhile.',
    buckets: LATENCY_SECONDS,
  },
  indexLagEntries: {
    kind: 'gauge',
    name: 'posthouse_admin_index_lag_entries',
    help: 'Entries of the logs that the index has not got yet. Act when it grows: this node is too slow for the mail that flows.',
  },
  indexLag: {
    kind: 'gauge',
    name: 'posthouse_admin_index_lag_seconds',
    help: 'How long the index has not had all entries of the logs; 0 when it has. Act above 60 s: traces are old, and webhooks late.',
  },
  indexBytes: {
    kind: 'gauge',
    name: 'posthouse_admin_index_bytes',
    help: 'Size of the index. Act when it nears the room of data.folder: lower events.keep.',
  },
  indexMessages: {
    kind: 'gauge',
    name: 'posthouse_admin_index_messages',
    help: 'Messages in the index.',
  },
  indexRebuilt: {
    kind: 'counter',
    name: 'posthouse_admin_index_rebuilt_total',
    help: 'Times that the index was thrown away and built anew from the logs: it was of another version, or damaged. Act on corrupt: look at the disk.',
    labels: { reason: rebuildReasons },
  },
  indexExpired: {
    kind: 'counter',
    name: 'posthouse_admin_index_expired_messages_total',
    help: 'Messages removed from the index because they were older than events.keep.',
  },
  traces: {
    kind: 'counter',
    name: 'posthouse_admin_traces_total',
    help: 'Questions for the story of messages that this node answered, by result. Act on any failed: the log says why.',
    labels: { result: traceResults },
  },
  traceSeconds: {
    kind: 'histogram',
    name: 'posthouse_admin_trace_seconds',
    help: 'Time to answer such a question. Act when it nears 1 s.',
    buckets: LATENCY_SECONDS,
  },

  // Webhooks.
  webhookRequests: {
    kind: 'counter',
    name: 'posthouse_admin_webhook_requests_total',
    help: 'Requests to webhooks by result: delivered (2xx), failed (tried again), gone (410, given up). Act when failed outgrows delivered: the receiver is down, or refuses.',
    labels: { result: webhookResults },
  },
  webhookSeconds: {
    kind: 'histogram',
    name: 'posthouse_admin_webhook_request_seconds',
    help: 'Time of a request to a webhook until its reply. Act when it nears webhookLimits.timeout.',
    buckets: LATENCY_SECONDS,
  },
  webhookMissed: {
    kind: 'counter',
    name: 'posthouse_admin_webhook_missed_events_total',
    help: 'Events that the index forgot before a webhook got them. Act on any: the receiver was down for longer than events.keep, or events.room is too little.',
  },
  webhookWaiting: {
    kind: 'gauge',
    name: 'posthouse_admin_webhook_waiting_events',
    help: 'Events that the webhook has not got yet, by its name; at the node that sends. Act when it grows: the receiver is too slow, or down.',
    labels: { webhook: { top: MOST_WEBHOOKS } },
  },
  webhookOldestAge: {
    kind: 'gauge',
    name: 'posthouse_admin_webhook_oldest_age_seconds',
    help: 'How long the oldest of them has waited. Act above some minutes; above webhookRetry.giveUpAfter it becomes a dead letter.',
    labels: { webhook: { top: MOST_WEBHOOKS } },
  },
  webhookDeadLetters: {
    kind: 'gauge',
    name: 'posthouse_admin_webhook_dead_letters',
    help: 'Events given up and kept with the reason, by webhook; at the node that sends. Act on any: the receiver lacks them, the log says which.',
    labels: { webhook: { top: MOST_WEBHOOKS } },
  },
})
