// What one of the admin nodes exports of a cluster that is well: a queue of two partitions with little in it, on three NATS servers.
import type { Labels } from './healthy-site.ts'

interface Exported {
  /** Without its prefix. */
  readonly name: string
  readonly labels: Labels
  readonly value: number
}

const PARTITIONS = ['0', '1']
const SERVERS = ['nats-1', 'nats-2', 'nats-3']

const ofPartition = {
  queue_owned: 1,
  queue_ready_recipients: 16,
  queue_in_flight_recipients: 15,
  queue_later_recipients: 40,
  // Something is always deferred for days.
  queue_oldest_age_seconds: 200_000,
}
const ofStream = {
  nats_stream_leader: 1,
  nats_stream_replicas_behind: 0,
  nats_stream_bytes: 1e7,
  nats_stream_max_bytes: 1e9,
}

const each = (values: Readonly<Record<string, number>>, labels: Labels): Exported[] =>
  Object.entries(values).map(([name, value]) => ({ name, labels, value }))

export const exportedSeries: readonly Exported[] = [
  ...PARTITIONS.flatMap((partition) => [
    ...each(ofPartition, { partition }),
    ...['mail', 'log', 'body'].flatMap((kind) => each(ofStream, { kind, partition })),
  ]),
  ...SERVERS.flatMap((server) => each({ nats_server_online: 1 }, { server })),
  // One site is away and little waits for it; another takes its mail slowly.
  ...each(
    { queue_destination_later_recipients: 4, queue_destination_oldest_age_seconds: 200_000 },
    { destination: 'gone.example' },
  ),
  ...each(
    { queue_destination_later_recipients: 900, queue_destination_oldest_age_seconds: 1200 },
    { destination: 'slow.example' },
  ),
  ...each({ admin_webhook_oldest_age_seconds: 2, admin_webhook_dead_letters: 0 }, { webhook: 'crm' }),
]
