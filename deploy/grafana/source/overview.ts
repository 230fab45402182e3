// One screen: is mail flowing, is anything waiting too long, is a node or server missing, who is being refused and why.
import { bars, graph, line, notZero, row, stat, times, type Dashboard } from './panel.ts'

const IN_QUEUE = (figure: string) => `sum(max by (namespace, partition) (posthouse_queue_${figure}_recipients))`

export const overview: Dashboard = {
  file: 'overview',
  title: 'Overview',
  description:
    'Is mail flowing, is anything waiting too long, is a node or server missing, who is being refused and why. Every panel says when to act and leads to the dashboard that says more; docs/runbook has a page for each alert.',
  rows: [
    row(
      'Is mail flowing?',
      line(
        6,
        graph({
          title: 'Accepted',
          description:
            'Messages answered with 250 after the queue had stored them, by the role of the listener. Act when it falls to zero at a time when there is always mail: look at Refused, then at the load balancer.',
          unit: '/s',
          queries: { '{{role}}': 'sum by (role) (rate(posthouse_edge_messages_accepted_total[$__rate_interval]))' },
          more: 'edge',
        }),
        graph({
          title: 'Time to the 250',
          description:
            'From the final dot to the reply of the edge; dots are single messages, which lead to their traces where tracing is on. Act when 99 of 100 pass a second: the queue is slow or loses servers.',
          unit: 's',
          queries: times('posthouse_edge_accept_seconds'),
          act: 1,
          exemplars: true,
          more: 'edge',
        }),
        graph({
          title: 'Recipients accepted and delivered',
          description:
            'Act when deliveries stay below acceptances for long: the backlog grows. The row below says whether it waits for its first attempt or was deferred.',
          unit: '/s',
          queries: {
            accepted: 'sum(rate(posthouse_edge_recipients_accepted_total[$__rate_interval]))',
            delivered: 'sum(rate(posthouse_delivery_recipients_total{outcome="delivered"}[$__rate_interval]))',
          },
          more: 'delivery',
        }),
      ),
    ),
    row(
      'Is anything waiting too long?',
      line(
        5,
        graph({
          title: 'Recipients in the queue',
          description:
            'Ready: waiting for the first attempt, or in it. Later: deferred, parked or held. Act when ready grows for minutes: delivery is slower than acceptance; when later grows for an hour: a destination does not take its mail.',
          unit: 'none',
          queries: { ready: IN_QUEUE('ready'), later: IN_QUEUE('later') },
          more: 'queue',
        }),
        graph({
          title: 'Wait for the first attempt',
          description:
            'How long what is ready and not in flight would take at the present pace of all nodes that are chosen; no line while nothing is tried. Act when it passes ten minutes: delivery does not keep up, as PosthouseQueueAge says.',
          unit: 's',
          queries: {
            wait: `(${IN_QUEUE('ready')} - ${IN_QUEUE('in_flight')}) / sum(rate(posthouse_delivery_recipients_total{outcome!="parked"}[$__rate_interval]))`,
          },
          act: 600,
          more: 'queue',
        }),
        graph({
          title: 'Oldest message',
          description:
            'Age since its acceptance of the oldest message that is still open, whatever it waits for. Act when it is above what users bear and ready is not 0; one that was deferred may be as old as the setting lifetime.',
          unit: 's',
          queries: {
            oldest:
              'max(max by (namespace, partition) (posthouse_queue_oldest_age_seconds)) or 0 * max(max by (namespace, partition) (posthouse_queue_owned))',
          },
          warn: 4 * 3600,
          act: 24 * 3600,
          more: 'queue',
        }),
        graph({
          title: 'Acceptance to delivery',
          description:
            'From the acceptance at the edge to the reply of the next host that took it. Act when the half rises while little is deferred: delivery does not keep up; above ten minutes PosthouseDeliveredLate fires.',
          unit: 's',
          queries: times('posthouse_delivery_accepted_to_delivered_seconds'),
          act: 600,
          more: 'delivery',
        }),
      ),
    ),
    row(
      'Is a node or server missing?',
      line(
        3,
        stat({
          title: 'Alerts',
          description:
            'Alerts that fire. Act on any: docs/runbook has a page for each. Red lines show when they fired.',
          unit: 'none',
          queries: { alerts: 'count(ALERTS{alertname=~"Posthouse.+",alertstate="firing"}) or vector(0)' },
          warn: 1,
        }),
        stat({
          title: 'Edges',
          description:
            'Edges that Prometheus reaches. Act when it is less than you run: PosthouseNodeDown names the one; at 0 no mail is accepted.',
          unit: 'none',
          queries: { edges: 'count(posthouse_edge_sessions) or vector(0)' },
          atLeast: 1,
          more: 'edge',
        }),
        stat({
          title: 'Delivery nodes',
          description:
            'Delivery nodes that Prometheus reaches. Act when it is less than you run: PosthouseNodeDown names the one; at 0 accepted mail stays in the queue.',
          unit: 'none',
          queries: { 'delivery nodes': 'count(posthouse_delivery_ready) or vector(0)' },
          atLeast: 1,
          more: 'delivery',
        }),
        stat({
          title: 'Nodes not reached',
          description:
            'Nodes that Prometheus reached within the last day, should reach and does not. Act when it stays for minutes: PosthouseNodeDown names the one.',
          unit: 'none',
          queries: {
            nodes:
              'count(up == 0 and on (namespace, job, instance) last_over_time(posthouse_build_info[1d])) or vector(0)',
          },
          act: 1,
        }),
        stat({
          title: 'Nodes not ready',
          description:
            'Nodes that run and say at /readyz that they cannot work. Act when it stays for minutes: /readyz says why.',
          unit: 'none',
          queries: { nodes: 'count(posthouse_ready == 0) or vector(0)' },
          warn: 1,
        }),
        stat({
          title: 'NATS servers missing',
          description:
            'NATS servers that nobody reaches. Act on any: one more may stop the queue. Unknown: no admin node says it.',
          unit: 'none',
          queries: { servers: 'sum(1 - max by (namespace, server) (posthouse_nats_server_online))' },
          act: 1,
          more: 'nats',
        }),
        stat({
          title: 'Streams without leader',
          description:
            'Streams of the queue that nobody leads. Act when it stays for 30 s: their partitions take and deliver no mail. Unknown: no admin node says it.',
          unit: 'none',
          queries: { streams: 'sum(1 - max by (namespace, kind, partition) (posthouse_nats_stream_leader))' },
          act: 1,
          more: 'nats',
        }),
        stat({
          title: 'Partitions without owner',
          description:
            'Partitions of the queue that no delivery node owns. Act when it stays for 30 s: their mail is not delivered. Unknown: no admin node says it.',
          unit: 'none',
          queries: { partitions: 'sum(1 - max by (namespace, partition) (posthouse_queue_owned))' },
          act: 1,
          more: 'queue',
        }),
      ),
    ),
    row(
      'Who is refused, and why?',
      line(
        6,
        graph({
          title: 'Refused',
          description:
            'Replies of 4xx and 5xx to clients, by reason; those that did not occur are left out. Act on any queueFull or queueUnavailable: the queue takes no mail. Others are mostly mistakes of clients; act when one jumps.',
          unit: '/s',
          queries: {
            '{{reason}}': notZero('sum by (reason) (rate(posthouse_edge_refused_total[$__rate_interval]))', 'reason'),
          },
          more: 'edge',
        }),
        graph({
          title: 'Not delivered',
          description:
            'Recipients by what became of an attempt other than delivery. Act when deferred or bounced grow faster than delivered. Parked is mail that waits for a place, not for a host; act when it stays high: add delivery nodes.',
          unit: '/s',
          queries: {
            '{{outcome}}':
              'sum by (outcome) (rate(posthouse_delivery_recipients_total{outcome!="delivered"}[$__rate_interval]))',
          },
          more: 'delivery',
        }),
        graph({
          title: 'Refusals of other hosts',
          description:
            'Recipients by the code of the reply that refused them; none is no reply. Act when one jumps: 421 and 451 are hosts that want less, 550 and 554 may be a block list. `posthouse trace` has the texts.',
          unit: '/s',
          queries: {
            '{{code}}': notZero(
              'sum by (code) (rate(posthouse_delivery_replies_total{code!~"2.."}[$__rate_interval]))',
              'code',
            ),
          },
          more: 'delivery',
        }),
        bars({
          title: 'Destinations that wait most',
          description:
            'The five destinations with most recipients deferred, parked or held. Act when one stands out: try it with `posthouse probe`, look at its replies with `posthouse trace`.',
          unit: 'none',
          queries: {
            '{{destination}}':
              'topk(5, sum by (destination) (max by (namespace, destination) (posthouse_queue_destination_later_recipients)))',
          },
          more: 'queue',
        }),
      ),
    ),
  ],
}
