// The servers and streams of the queue as seen from our side: no further exporter is needed.
import { NODE, bars, graph, line, row, stat, states, times, type Dashboard } from './panel.ts'

/** One figure of each stream, whichever admin node exports it at the time. */
const byStream = (figure: string) => `max by (namespace, kind, partition) (posthouse_nats_stream_${figure})`
const byServer = (figure: string) => `max by (namespace, server) (posthouse_nats_server_${figure})`
const once = (metric: string) => `max by (namespace) (posthouse_nats_${metric})`

/** Without a limit of the account, what its streams may have with all their replicas. */
const LIMIT = `(sum(${once('storage_limit_bytes')}) or sum(${byStream('max_bytes')} * ${byStream('replicas')}))`

export const nats: Dashboard = {
  file: 'nats',
  title: 'NATS',
  description:
    'The NATS servers and the streams of the queue, as an admin node, edges and delivery nodes see them. Only the namespace narrows what an admin node says of the cluster.',
  rows: [
    row(
      'Is it whole?',
      line(
        4,
        stat({
          title: 'Servers',
          description: 'NATS servers that are reached. Act when it is less than you run.',
          unit: 'none',
          queries: { servers: `sum(${byServer('online')})` },
          atLeast: 1,
        }),
        stat({
          title: 'Servers missing',
          description: 'NATS servers that nobody reaches. Act on any: one more may stop the queue.',
          unit: 'none',
          queries: { servers: `sum(1 - ${byServer('online')})` },
          act: 1,
        }),
        stat({
          title: 'Streams without leader',
          description: 'Act when it stays for 30 s: their partitions take and deliver no mail.',
          unit: 'none',
          queries: { streams: `sum(1 - ${byStream('leader')})` },
          act: 1,
        }),
        stat({
          title: 'Replicas behind',
          description:
            'Replicas of streams that are offline or lag. Act when any stays for 5 minutes: one more failure may stop a partition. Stop no other server meanwhile.',
          unit: 'none',
          queries: { replicas: `sum(${byStream('replicas_behind')})` },
          warn: 1,
        }),
        stat({
          title: 'Fullest mail stream',
          description: 'Used part of what the stream may have. Act when it is above 60 %: at 80 % mail is refused.',
          unit: 'percentunit',
          queries: {
            used: `max(max by (namespace, partition) (posthouse_nats_stream_bytes{kind="mail"}) / max by (namespace, partition) (posthouse_nats_stream_max_bytes{kind="mail"}))`,
          },
          warn: 0.6,
          act: 0.8,
        }),
        stat({
          title: 'Age of these figures',
          description: 'How long ago the servers were last asked. Act when it is above 60 s: they do not answer.',
          unit: 's',
          queries: { asked: `max(${once('view_age_seconds')})` },
          act: 60,
        }),
      ),
    ),
    row(
      'Servers',
      line(
        7,
        states({
          title: 'Servers reached',
          description:
            'Whether the other servers or an admin node reach a server. Act on any red: one more may stop the queue.',
          unit: 'none',
          queries: { '{{server}} {{namespace}}': byServer('online') },
          words: ['missing', 'online'],
        }),
        graph({
          title: 'Streams led',
          description:
            'Streams that a server leads. Act when one leads nearly all for an hour: the delivery nodes should have spread them.',
          unit: 'none',
          queries: { '{{server}} {{namespace}}': byServer('leads') },
          stacked: true,
        }),
        states({
          title: 'Admin nodes that reach NATS',
          description: 'Act when all are red: NATS is down or cut off, and no mail is taken.',
          unit: 'none',
          queries: { [NODE]: 'posthouse_nats_connected' },
          words: ['not connected', 'connected'],
        }),
      ),
    ),
    row(
      'Streams',
      line(
        8,
        states({
          title: 'Partitions with all leaders',
          description:
            'Whether all three streams of a partition have a leader that answers. Act on red for more than 30 s: the partition takes and delivers no mail.',
          unit: 'none',
          queries: { 'partition {{partition}} {{namespace}}': `min by (namespace, partition) (${byStream('leader')})` },
          words: ['without leader', 'all leaders'],
        }),
        graph({
          title: 'Replicas behind by partition',
          description:
            'Replicas that are offline or lag. Act on any that stays for 5 minutes: one more failure may stop the partition. Stop no other server meanwhile.',
          unit: 'none',
          queries: {
            'partition {{partition}} {{namespace}}': `sum by (namespace, partition) (${byStream('replicas_behind')})`,
          },
          stacked: true,
        }),
        graph({
          title: 'Replicas',
          description:
            'Replicas of the stream that has fewest, its leader included, by kind. Act when it is below queue.replicas.',
          unit: 'none',
          queries: { '{{kind}}': `min by (kind) (${byStream('replicas')})` },
        }),
      ),
      line(
        8,
        graph({
          title: 'Operations behind',
          description:
            'Operations that the last of the replicas lacks, of the worst stream of its kind. Act when it does not fall: that server is too slow, or stuck.',
          unit: 'none',
          queries: { '{{kind}}': `max by (kind) (${byStream('lag_operations')})` },
        }),
        graph({
          title: 'Messages',
          description:
            'In all streams of a kind: batches of mail, entries of the logs, chunks of large bodies. Act when mail grows for an hour while little waits: nothing is removed.',
          unit: 'none',
          queries: { '{{kind}}': `sum by (kind) (${byStream('messages')})` },
        }),
        graph({
          title: 'Bytes',
          description:
            'In all streams of a kind, on each of their replicas. Act when body grows while little waits: contents are not purged.',
          unit: 'bytes',
          queries: { '{{kind}}': `sum by (kind) (${byStream('bytes')})` },
          stacked: true,
        }),
      ),
    ),
    row(
      'Room',
      line(
        8,
        graph({
          title: 'Storage',
          description:
            'Bytes of all streams with their replicas, and how many there may be: the limit of the account, else the sum of what the streams may have. Act when used is above 80 % of it.',
          unit: 'bytes',
          queries: { used: `sum(${once('storage_used_bytes')})`, limit: LIMIT },
        }),
        graph({
          title: 'Used part by kind',
          description:
            'Of the fullest stream of each kind. Act when mail is above 60 %: at 80 % mail is refused; when another nears 100 %: outcomes or large bodies find no room.',
          unit: 'percentunit',
          queries: { '{{kind}}': `max by (kind) (${byStream('bytes')} / ${byStream('max_bytes')})` },
          max: 1,
          warn: 0.6,
          act: 0.8,
        }),
        bars({
          title: 'Mail by partition',
          description: 'Used part of each mail stream. Act when one stands out: its owner removes nothing.',
          unit: 'percentunit',
          queries: {
            '{{partition}}':
              'max by (partition) (max by (namespace, partition) (posthouse_nats_stream_bytes{kind="mail"}) / max by (namespace, partition) (posthouse_nats_stream_max_bytes{kind="mail"}))',
          },
          warn: 0.6,
          act: 0.8,
        }),
      ),
    ),
    row(
      'As edges and delivery nodes feel it',
      line(
        7,
        graph({
          title: 'Time to publish',
          description:
            'From the first publish of a batch until the queue had stored it. Act when 99 of 100 pass a second: the queue is slow or loses servers.',
          unit: 's',
          queries: times('posthouse_edge_publish_seconds'),
          act: 1,
          more: 'edge',
        }),
        graph({
          title: 'Publishes without an answer',
          description:
            'Batches sent again because no answer came, and sessions closed without a reply because none ever came. Act when repeats go on for minutes, and on any unknown fate: a server or a link is failing.',
          unit: '/s',
          queries: {
            repeated: 'sum(rate(posthouse_edge_publish_repeated_total[$__rate_interval]))',
            'fate unknown': 'sum(rate(posthouse_edge_fate_unknown_total[$__rate_interval]))',
          },
          more: 'edge',
        }),
        graph({
          title: 'Storing outcomes',
          description:
            'The time that 99 of 100 entries with outcomes take to be stored. Act when it nears 0.25 s: no final dot goes out then. An idle queue shows nothing.',
          unit: 's',
          queries: {
            '{{kind}}':
              'histogram_quantile(0.99, sum by (kind, le) (rate(posthouse_delivery_entry_seconds_bucket[$__rate_interval])))',
          },
          act: 0.25,
          more: 'delivery',
        }),
        graph({
          title: 'Fenced',
          description:
            'Transactions dropped before their final dot, because the lease had no margin. Act on more than a few: the servers are slow, or cut off from delivery nodes.',
          unit: '/s',
          queries: { [NODE]: 'rate(posthouse_delivery_fenced_total[$__rate_interval])' },
          more: 'delivery',
        }),
      ),
    ),
  ],
}
