// What became of the mail, what the delivery nodes do with the queue, and how they get out.
import { NODE, graph, line, notZero, row, times, type Dashboard } from './panel.ts'
import { processes } from './processes.ts'

export const delivery: Dashboard = {
  file: 'delivery',
  title: 'Delivery',
  description: 'Sending mail out: what became of it, how long it took, what other hosts say, and the ways to them.',
  rows: [
    row(
      'What became of it',
      line(
        8,
        graph({
          title: 'Recipients',
          description:
            'By what became of an attempt. Act when deferred or bounced grow faster than delivered: Replies and `posthouse trace` say why.',
          unit: '/s',
          queries: {
            '{{outcome}}': 'sum by (outcome) (rate(posthouse_delivery_recipients_total[$__rate_interval]))',
          },
          stacked: true,
        }),
        graph({
          title: 'Acceptance to delivery',
          description:
            'From the acceptance at the edge to the reply of the next host that took it. Act when the half rises while little is deferred: delivery does not keep up.',
          unit: 's',
          queries: times('posthouse_delivery_accepted_to_delivered_seconds'),
          act: 600,
        }),
        graph({
          title: 'Replies',
          description:
            'Recipients by the code of the reply that decided; none is no reply, and codes that did not occur are left out. Act when one jumps: 421 and 451 are hosts that want less, 550 and 554 may be a block list.',
          unit: '/s',
          queries: {
            '{{code}}': notZero('sum by (code) (rate(posthouse_delivery_replies_total[$__rate_interval]))', 'code'),
          },
        }),
      ),
      line(
        7,
        graph({
          title: 'Attempts',
          description:
            'By result; those that did not occur are left out. Act when the share of delivered falls; on any cut_off look at egress.',
          unit: '/s',
          queries: {
            '{{result}}': notZero(
              'sum by (result) (rate(posthouse_delivery_attempts_total[$__rate_interval]))',
              'result',
            ),
          },
        }),
        graph({
          title: 'Time of a transaction',
          description:
            'From MAIL to the last reply. Act when 99 of 100 near a minute: hosts are slow, and connections are held.',
          unit: 's',
          queries: times('posthouse_delivery_transaction_seconds'),
          warn: 60,
        }),
        graph({
          title: 'Possible duplicates',
          description:
            'Recipients that may get a message twice, and connections lost after the final dot, which are one cause of it. Act when they grow while no node was killed: a host answers too late, or nodes lose their leases.',
          unit: '/s',
          queries: {
            'possible duplicates': 'sum(rate(posthouse_delivery_possible_duplicates_total[$__rate_interval]))',
            'lost after the dot': 'sum(rate(posthouse_delivery_lost_after_dot_total[$__rate_interval]))',
          },
        }),
      ),
    ),
    row(
      'From the queue',
      line(
        7,
        graph({
          title: 'Transactions',
          description:
            'SMTP transactions begun. Act when one node is flat while it has some ready, or all are flat while mail is accepted.',
          unit: '/s',
          queries: { [NODE]: 'rate(posthouse_delivery_transactions_total[$__rate_interval])' },
        }),
        graph({
          title: 'Ready',
          description:
            'Transactions that wait for a connection. Act when it stays high: raise limits.connectionsPerDestination, or add nodes.',
          unit: 'none',
          queries: { [NODE]: 'posthouse_delivery_ready' },
        }),
        graph({
          title: 'Partitions owned',
          description:
            'Partitions of the queue that a node owns, and all of them. Act when the sum stays below queue.partitions: mail of the missing ones waits.',
          unit: 'none',
          queries: {
            [NODE]: 'posthouse_delivery_partitions_owned',
            all: 'sum(posthouse_delivery_partitions_owned)',
          },
        }),
      ),
      line(
        7,
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
        }),
        graph({
          title: 'Fenced',
          description:
            'Transactions dropped before their final dot, because the lease had no margin. Act on more than a few: look at NATS.',
          unit: '/s',
          queries: { [NODE]: 'rate(posthouse_delivery_fenced_total[$__rate_interval])' },
        }),
        graph({
          title: 'Bodies swept',
          description:
            'Large contents purged because no message refers to them: an edge died while it took them in. Act when it grows while no edge was killed.',
          unit: '/s',
          queries: { bodies: 'sum(rate(posthouse_delivery_swept_bodies_total[$__rate_interval]))' },
        }),
      ),
    ),
    row(
      'To other hosts',
      line(
        7,
        graph({
          title: 'Connections',
          description: 'Connections open now. Act when it nears limits.connections: raise it, or add nodes.',
          unit: 'none',
          queries: { [NODE]: 'posthouse_delivery_connections' },
        }),
        graph({
          title: 'Connections opened',
          description:
            'By the result of opening them. Act when failed outgrows the others: network, DNS or the next host.',
          unit: '/s',
          queries: {
            '{{result}}': 'sum by (result) (rate(posthouse_delivery_connections_opened_total[$__rate_interval]))',
          },
        }),
        graph({
          title: 'Encrypted connections',
          description: 'By version of TLS. Act when old versions come from hosts that matter.',
          unit: '/s',
          queries: {
            '{{version}}': 'sum by (version) (rate(posthouse_delivery_tls_connections_total[$__rate_interval]))',
          },
        }),
        graph({
          title: 'DNS lookups',
          description:
            'Questions to the DNS by result; those that did not occur are left out. Act when failed grows: look at the resolver.',
          unit: '/s',
          queries: {
            '{{result}}': notZero(
              'sum by (result) (rate(posthouse_delivery_dns_lookups_total[$__rate_interval]))',
              'result',
            ),
          },
        }),
      ),
      line(
        7,
        graph({
          title: 'Destinations',
          description:
            'Destinations with work, connections or a back-off. Act when it jumps: one sender writes to very many, or very many are away.',
          unit: 'none',
          queries: { [NODE]: 'posthouse_delivery_destinations' },
        }),
        graph({
          title: 'Destinations backed off',
          description:
            'Destinations left alone for a while, because nobody there answers. Act when it jumps: the network, the DNS or a way out has failed.',
          unit: 'none',
          queries: { [NODE]: 'posthouse_delivery_destinations_backed_off' },
        }),
        graph({
          title: 'Connections by way out',
          description:
            'Connections open now by way out: a source address, a proxy, or "direct"; none when nothing is sent. Act when one of several stays at zero.',
          unit: 'none',
          queries: { '{{exit}}': notZero('sum by (exit) (posthouse_delivery_exit_connections)', 'exit') },
        }),
        graph({
          title: 'Ways out that fail',
          description:
            'Nodes that avoid a source address or proxy because it fails; none when all work. Act on any: the log says why.',
          unit: 'none',
          queries: { '{{exit}}': notZero('sum by (exit) (posthouse_delivery_exit_failing)', 'exit') },
          act: 1,
        }),
      ),
    ),
    processes('delivery'),
  ],
}
