// The cases of the alerts on the queue, on NATS, on certificates and on what admin nodes do.
import { of, ofNode, type AlertCase } from './alert-case.ts'
import { DAY, flat, growing, stepping, type HealthySite } from './healthy-site.ts'

/** As it was, and so much from a minute on, perhaps to another. */
const between = (before: number, value: number, from: number, to = Infinity) =>
  stepping(stepping(flat(before), from, flat(value)), to, flat(before))

function adminsEnd(site: HealthySite): void {
  for (const node of ['admin-1', 'admin-2']) site.end(node, 5, 'forgotten')
}

const notOneExporter = of(
  'PosthouseNotOneExporter',
  'Not one admin node IN, but none or several export the figures of the queue and of NATS. Alerts on them cannot be relied on, and webhooks may stand still.',
)
const noQuorum = of(
  'PosthouseNoQuorum',
  "For a minute there has been no leader for 2 of the queue's partitions IN: most of their NATS servers are away. What was accepted is kept.",
)
const serverMissing = of(
  'PosthouseNatsServerMissing',
  'nats-2 IN has been away for two minutes. One more, and the queue may stand still.',
  { server: 'nats-2' },
)

export const queueCases: readonly AlertCase[] = [
  {
    alert: 'PosthouseNotOneExporter',
    name: 'the pods of all admin nodes are gone',
    ill: adminsEnd,
    at: 10,
    fires: [notOneExporter],
  },
  {
    alert: 'PosthouseNotOneExporter',
    name: 'both admin nodes export, as they do not hear each other',
    ill: (site) => site.set('posthouse_admin_exports', {}, between(0, 1, 0)),
    at: 5,
    fires: [notOneExporter],
  },
  ...(['at once', 'both for two minutes'] as const).map((how) => ({
    alert: 'PosthouseNotOneExporter',
    name: `the figures move from one admin node to the other: ${how}`,
    ill: (site: HealthySite) => site.handOver(10, how),
    at: 11,
    fires: [],
  })),

  {
    alert: 'PosthouseIndexLags',
    name: 'the index of an admin node is behind and falls back',
    ill: (site) => site.set('posthouse_admin_index_lag_seconds', site.target('admin-2'), growing(60, { from: 10 })),
    at: 26,
    fires: [
      ofNode(
        'PosthouseIndexLags',
        'admin-2',
        'NODE has not had all events for 16m 0s. `posthouse trace` shows old stories, and webhooks are late.',
      ),
    ],
  },
  {
    alert: 'PosthouseIndexLags',
    name: 'an admin node catches up for ten minutes after it was away',
    ill: (site) => site.set('posthouse_admin_index_lag_seconds', {}, between(0, 900, 10, 20)),
    at: 20,
    fires: [],
  },

  {
    alert: 'PosthouseLogSuppressed',
    name: 'an edge leaves out log lines',
    ill: (site) => site.set('posthouse_log_suppressed_total', site.target('edge-1'), growing(30, { from: 10 })),
    at: 11,
    fires: [
      ofNode(
        'PosthouseLogSuppressed',
        'edge-1',
        'NODE (JOB) left out about 30 log lines within a quarter of an hour: too many alike, or nobody reads them fast enough.',
      ),
    ],
  },
  {
    alert: 'PosthouseLogSuppressed',
    name: 'an edge left out log lines half an hour ago',
    ill: (site) => site.set('posthouse_log_suppressed_total', {}, growing(30, { from: 10, to: 11 })),
    at: 40,
    fires: [],
  },

  {
    alert: 'PosthouseNoQuorum',
    name: 'two partitions stay without a leader',
    ill: (site) => site.set('posthouse_edge_partitions', { state: 'leaderless' }, between(0, 2, 10)),
    at: 11,
    fires: [noQuorum],
  },
  {
    alert: 'PosthouseNoQuorum',
    name: 'two partitions elect another leader',
    ill: (site) => site.set('posthouse_edge_partitions', { state: 'leaderless' }, between(0, 2, 10, 11)),
    at: 11,
    fires: [],
  },

  {
    alert: 'PosthouseNatsServerMissing',
    name: 'a NATS server is gone',
    ill: (site) => site.set('posthouse_nats_server_online', { server: 'nats-2' }, between(1, 0, 10)),
    at: 12,
    fires: [serverMissing],
  },
  {
    alert: 'PosthouseNatsServerMissing',
    name: 'a NATS server restarts within two minutes',
    ill: (site) => site.set('posthouse_nats_server_online', { server: 'nats-2' }, between(1, 0, 10, 12)),
    at: 12,
    fires: [],
  },

  {
    alert: 'PosthouseReplicaBehind',
    name: 'a replica of one stream lags, and its server is there',
    ill: (site) =>
      site.set('posthouse_nats_stream_replicas_behind', { kind: 'log', partition: '1' }, between(0, 1, 10)),
    at: 20,
    fires: [
      of(
        'PosthouseReplicaBehind',
        "For ten minutes a replica has lagged in 1 of the queue's streams IN. Restart no other NATS server meanwhile.",
      ),
    ],
  },
  {
    alert: 'PosthouseReplicaBehind',
    name: 'replicas catch up within ten minutes',
    ill: (site) => site.set('posthouse_nats_stream_replicas_behind', {}, between(0, 1, 10, 20)),
    at: 20,
    fires: [],
  },
  {
    alert: 'PosthouseReplicaBehind',
    name: 'replicas are behind because their server is gone',
    ill: (site) => {
      site.set('posthouse_nats_stream_replicas_behind', {}, between(0, 1, 2))
      site.set('posthouse_nats_server_online', { server: 'nats-2' }, between(1, 0, 10))
    },
    at: 12,
    fires: [serverMissing],
  },

  {
    alert: 'PosthousePartitionUnowned',
    name: 'nobody owns one of the partitions',
    ill: (site) => site.set('posthouse_queue_owned', { partition: '1' }, between(1, 0, 10)),
    at: 12,
    fires: [
      of(
        'PosthousePartitionUnowned',
        "For two minutes no delivery node has owned 1 of the queue's partitions IN, though they have leaders and delivery nodes run.",
      ),
    ],
  },
  {
    alert: 'PosthousePartitionUnowned',
    name: 'nobody can own partitions that have no leader',
    ill: (site) => {
      site.set('posthouse_queue_owned', {}, between(1, 0, 9))
      site.set('posthouse_edge_partitions', { state: 'leaderless' }, between(0, 2, 10))
    },
    at: 11,
    fires: [noQuorum],
  },

  {
    alert: 'PosthouseQueueAge',
    name: 'more waits than goes out in twenty minutes',
    ill: (site) => site.set('posthouse_queue_ready_recipients', { partition: '0' }, between(16, 40_000, 10)),
    at: 20,
    fires: [
      of(
        'PosthouseQueueAge',
        'At the pace of the last minutes, mail accepted now IN is tried after 23m 18s; +Inf is never.',
      ),
    ],
  },
  {
    alert: 'PosthouseQueueAge',
    name: 'in one partition nothing was deferred, and mail waits all the same',
    ill: (site) => {
      site.set('posthouse_queue_later_recipients', { partition: '1' }, flat(0))
      site.set('posthouse_queue_oldest_age_seconds', { partition: '1' }, growing(60, { from: 10 }))
    },
    at: 36,
    fires: [
      of(
        'PosthouseQueueAge',
        'At the pace of the last minutes, mail accepted now IN is tried after 26m 0s; +Inf is never.',
      ),
    ],
  },
  {
    alert: 'PosthouseQueueAge',
    name: 'a burst is worked off within ten minutes',
    ill: (site) => site.set('posthouse_queue_ready_recipients', { partition: '0' }, between(16, 40_000, 10, 20)),
    at: 20,
    fires: [],
  },

  {
    alert: 'PosthouseQueueFills',
    name: 'the fullest partition is at two thirds, says an edge',
    ill: (site) => site.set('posthouse_edge_queue_used_ratio', site.target('edge-2'), between(0.1, 0.65, 10)),
    at: 15,
    fires: [of('PosthouseQueueFills', 'The fullest part of the queue IN is at 65%. At 80 % mail is refused.')],
  },
  {
    alert: 'PosthouseQueueFills',
    name: 'a log is at 70 %, says an admin node',
    ill: (site) => site.set('posthouse_nats_stream_bytes', { kind: 'log', partition: '0' }, between(1e7, 7e8, 10)),
    at: 15,
    fires: [of('PosthouseQueueFills', 'The fullest part of the queue IN is at 70%. At 80 % mail is refused.')],
  },
  {
    alert: 'PosthouseQueueFills',
    name: 'half of the room is used',
    ill: (site) => site.set('posthouse_edge_queue_used_ratio', {}, flat(0.5)),
    at: 40,
    fires: [],
  },

  {
    alert: 'PosthouseCertificateExpires',
    name: 'the certificate of one edge has less than 14 days left',
    ill: (site) =>
      site.set('posthouse_edge_certificate_expiry_timestamp_seconds', site.target('edge-2'), flat(14 * DAY + 10 * 60)),
    at: 21,
    fires: [
      of(
        'PosthouseCertificateExpires',
        'The certificate of an edge IN is good for 13d 23h 49m 0s more. Then clients that check it send nothing.',
      ),
    ],
  },
  {
    alert: 'PosthouseCertificateExpires',
    name: 'a certificate has 15 days left',
    ill: (site) => site.set('posthouse_edge_certificate_expiry_timestamp_seconds', {}, flat(15 * DAY)),
    at: 40,
    fires: [],
  },

  {
    alert: 'PosthouseCertificateExpired',
    name: 'an edge loads a certificate that has expired',
    ill: (site) =>
      site.set('posthouse_edge_certificate_expiry_timestamp_seconds', site.target('edge-1'), between(60 * DAY, 60, 10)),
    at: 10,
    fires: [
      of('PosthouseCertificateExpired', 'A certificate IN expired 9m 0s ago. Clients that check it send nothing.'),
    ],
  },
  {
    alert: 'PosthouseCertificateExpired',
    name: 'no edge has a certificate',
    ill: (site) => site.set('posthouse_edge_certificate_expiry_timestamp_seconds', {}, flat(0)),
    at: 40,
    fires: [],
  },

  {
    alert: 'PosthouseDestinationStalled',
    name: 'hundreds wait for a site for two hours',
    ill: (site) =>
      site.set(
        'posthouse_queue_destination_oldest_age_seconds',
        { destination: 'slow.example' },
        between(1200, 7200, 10),
      ),
    at: 25,
    fires: [
      of(
        'PosthouseDestinationStalled',
        'Destination slow.example IN: more than 50 recipients wait for another attempt, the oldest for 2h 0m 0s.',
        { destination: 'slow.example' },
      ),
    ],
  },
  {
    alert: 'PosthouseDestinationStalled',
    name: 'fifty wait for a site for days',
    ill: (site) => site.set('posthouse_queue_destination_later_recipients', { destination: 'gone.example' }, flat(50)),
    at: 40,
    fires: [],
  },

  {
    alert: 'PosthouseWebhookBehind',
    name: 'a webhook takes no events',
    ill: (site) => site.set('posthouse_admin_webhook_oldest_age_seconds', {}, between(2, 1000, 10)),
    at: 15,
    fires: [
      of(
        'PosthouseWebhookBehind',
        'The webhook crm IN lacks events that have waited for 16m 40s. They are tried again, in order.',
        { webhook: 'crm' },
      ),
    ],
  },
  {
    alert: 'PosthouseWebhookBehind',
    name: 'a webhook was away and gets the last of its events within five minutes',
    ill: (site) => site.set('posthouse_admin_webhook_oldest_age_seconds', {}, between(2, 1000, 10, 15)),
    at: 15,
    fires: [],
  },

  {
    alert: 'PosthouseWebhookDeadLetters',
    name: 'three events were given up',
    ill: (site) => site.set('posthouse_admin_webhook_dead_letters', {}, between(0, 3, 10)),
    at: 10,
    fires: [
      of(
        'PosthouseWebhookDeadLetters',
        'Within three hours events for the webhook crm IN were given up. With earlier ones 3 are kept, each with the reason.',
        { webhook: 'crm' },
      ),
    ],
  },
  {
    alert: 'PosthouseWebhookDeadLetters',
    name: 'three events were given up three hours ago',
    ill: (site) => site.set('posthouse_admin_webhook_dead_letters', {}, between(0, 3, 5)),
    at: 185,
    fires: [],
  },
]
