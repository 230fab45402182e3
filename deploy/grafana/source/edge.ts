// What clients get to see, and what the edges do with the queue for it.
import { NODE, graph, line, notZero, row, times, type Dashboard } from './panel.ts'
import { processes } from './processes.ts'

export const edge: Dashboard = {
  file: 'edge',
  title: 'Edge',
  description: 'Taking mail in: what clients get to see, who they are, and how fast the queue takes their mail.',
  rows: [
    row(
      'Acceptance',
      line(
        8,
        graph({
          title: 'Accepted',
          description:
            'Messages answered with 250 after the queue had stored them, by the role of the listener. Act when it falls to zero at a time when there is always mail: look at Refused, then at the load balancer.',
          unit: '/s',
          queries: { '{{role}}': 'sum by (role) (rate(posthouse_edge_messages_accepted_total[$__rate_interval]))' },
        }),
        graph({
          title: 'Refused',
          description:
            'Replies of 4xx and 5xx, by reason; those that did not occur are left out. Act on any queueFull or queueUnavailable: the queue takes no mail. Others are mostly mistakes of clients; act when one jumps.',
          unit: '/s',
          queries: {
            '{{reason}}': notZero('sum by (reason) (rate(posthouse_edge_refused_total[$__rate_interval]))', 'reason'),
          },
        }),
        graph({
          title: 'Time to the 250',
          description:
            'From the final dot to the reply of the edge; dots are single messages, which lead to their traces where tracing is on. Act when 99 of 100 pass a second: the queue is slow or loses servers.',
          unit: 's',
          queries: times('posthouse_edge_accept_seconds'),
          act: 1,
          exemplars: true,
        }),
      ),
      line(
        7,
        graph({
          title: 'Recipients accepted',
          description:
            'Recipients of accepted messages. Act when it outgrows Accepted by far: somebody writes to very many.',
          unit: '/s',
          queries: { recipients: 'sum(rate(posthouse_edge_recipients_accepted_total[$__rate_interval]))' },
        }),
        graph({
          title: 'Content accepted',
          description:
            'Content of accepted messages. Act when it outgrows what the network and the disks of the NATS servers can take: each byte is written three times.',
          unit: 'Bps',
          queries: { content: 'sum(rate(posthouse_edge_accepted_bytes_total[$__rate_interval]))' },
        }),
        graph({
          title: 'Replies',
          description:
            'By the first digit of their code. Act when 4xx outgrow 2xx: clients are put off; Refused says why.',
          unit: '/s',
          queries: { '{{class}}': 'sum by (class) (rate(posthouse_edge_replies_total[$__rate_interval]))' },
        }),
      ),
    ),
    row(
      'Clients',
      line(
        7,
        graph({
          title: 'Sessions',
          description:
            'Sessions open now. Act when it nears limits.connections: add edges, or find the client that keeps them open.',
          unit: 'none',
          queries: { [NODE]: 'posthouse_edge_sessions' },
        }),
        graph({
          title: 'Sessions by listener',
          description:
            'Sessions open now, by the role of the listener. Act when one role holds most of limits.connections: find its client.',
          unit: 'none',
          queries: { '{{role}}': 'sum by (role) (posthouse_edge_listener_sessions)' },
        }),
        graph({
          title: 'Connections taken',
          description:
            'By the role of the listener. Act when it is at zero while clients complain: look at the load balancer.',
          unit: '/s',
          queries: { '{{role}}': 'sum by (role) (rate(posthouse_edge_connections_total[$__rate_interval]))' },
        }),
        graph({
          title: 'PROXY headers',
          description:
            'Connections from a load balancer, by what its PROXY header was. Act on any late or invalid: something there sends no header, and is closed without a reply.',
          unit: '/s',
          queries: {
            '{{result}}': notZero(
              'sum by (result) (rate(posthouse_edge_proxy_headers_total[$__rate_interval]))',
              'result',
            ),
          },
        }),
      ),
      line(
        7,
        graph({
          title: 'Log-ins',
          description:
            'By result. Act when wrong or blocked jump: somebody guesses passwords. Act on busy: edges lack CPU for checking them.',
          unit: '/s',
          queries: { '{{result}}': 'sum by (result) (rate(posthouse_edge_logins_total[$__rate_interval]))' },
        }),
        graph({
          title: 'TLS sessions',
          description: 'Sessions encrypted, by version. Act when all stay at zero while clients should encrypt.',
          unit: '/s',
          queries: { '{{version}}': 'sum by (version) (rate(posthouse_edge_tls_sessions_total[$__rate_interval]))' },
        }),
        graph({
          title: 'TLS handshakes that failed',
          description: 'Act when it jumps: the certificate is not what clients expect, or somebody scans.',
          unit: '/s',
          queries: { failed: 'sum(rate(posthouse_edge_tls_failed_total[$__rate_interval]))' },
        }),
        graph({
          title: "Certificates' days left",
          description:
            'Days until the certificate of an edge expires; a line only where there is one. Act when it falls below 14: whatever renews it does not, or edges do not get the new one.',
          unit: 'd',
          queries: { [NODE]: '(posthouse_edge_certificate_expiry_timestamp_seconds > 0) / 86400 - time() / 86400' },
        }),
      ),
    ),
    row(
      'To the queue',
      line(
        7,
        graph({
          title: 'Time to publish',
          description:
            'From the first publish of a batch until the queue had stored it. Act when 99 of 100 pass a second: the queue is slow or loses servers.',
          unit: 's',
          queries: times('posthouse_edge_publish_seconds'),
          act: 1,
        }),
        graph({
          title: 'Publishes without an answer',
          description:
            'Batches sent again because no answer came, and sessions closed without a reply because none ever came. Act when repeats go on for minutes, and on any unknown fate: look at NATS.',
          unit: '/s',
          queries: {
            repeated: 'sum(rate(posthouse_edge_publish_repeated_total[$__rate_interval]))',
            'fate unknown': 'sum(rate(posthouse_edge_fate_unknown_total[$__rate_interval]))',
          },
        }),
        graph({
          title: 'Refused by the queue',
          description:
            'Messages that surely were not stored; their clients got 452 or 451. Act on any full, and on unavailable that lasts: look at NATS.',
          unit: '/s',
          queries: { '{{why}}': 'sum by (why) (rate(posthouse_edge_queue_refused_total[$__rate_interval]))' },
        }),
        graph({
          title: 'Messages in a batch',
          description:
            'Messages that went to the queue in one publish, on average. It grows with the load. Act when it nears 128: edges hold back more than the queue takes.',
          unit: 'none',
          queries: {
            messages:
              'sum(rate(posthouse_edge_batch_records_sum[$__rate_interval])) / sum(rate(posthouse_edge_batch_records_count[$__rate_interval]))',
          },
          act: 128,
        }),
      ),
      line(
        7,
        graph({
          title: 'Waiting for the queue',
          description:
            'Messages given to the queue that have no answer yet. Act when it stays high: the queue is slow.',
          unit: 'none',
          queries: { [NODE]: 'posthouse_edge_queue_waiting_messages' },
        }),
        graph({
          title: 'Memory held for the queue',
          description:
            'Bytes of messages held in memory until the queue answers. Act when it grows steadily: at a bound mail is refused with 451.',
          unit: 'bytes',
          queries: { [NODE]: 'posthouse_edge_queue_waiting_bytes' },
        }),
        graph({
          title: 'Partitions as edges see them',
          description:
            'The least usable ones that an edge sees, and the most that it sees in another state. Act when any is leaderless for more than 30 s: look at NATS; with none usable no mail is taken.',
          unit: 'none',
          queries: {
            '{{state}}': 'max by (state) (posthouse_edge_partitions{state!="usable"})',
            usable: 'min(posthouse_edge_partitions{state="usable"})',
          },
        }),
        graph({
          title: 'Fullest partition',
          description: 'Used part of the fullest partition. Act when it is above 60 %: at 80 % mail is refused.',
          unit: 'percentunit',
          queries: { [NODE]: 'posthouse_edge_queue_used_ratio' },
          max: 1,
          warn: 0.6,
          act: 0.8,
        }),
      ),
    ),
    processes('edge'),
  ],
}
