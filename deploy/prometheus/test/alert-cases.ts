// When each alert fires, and when it does not although something is amiss. Each is tried with the labels of both scrapers. Those of the
// queue, of NATS and of the admin nodes are in queue-cases.ts.
import { of, ofNode, ofNothing, type AlertCase } from './alert-case.ts'
import { flat, growing, turning, type HealthySite } from './healthy-site.ts'
import { queueCases } from './queue-cases.ts'

const TARGETS = ['edge-1', 'edge-2', 'delivery-1', 'delivery-2', 'admin-1', 'admin-2']

function all(site: HealthySite, how: 'unreachable' | 'forgotten', minute: number, kind: RegExp): void {
  for (const node of TARGETS.filter((name) => kind.test(name))) site.end(node, minute, how)
}

const noEdge = [
  'PosthouseNoEdge',
  'Prometheus reaches no edge IN. Senders cannot connect; what was accepted before is delivered.',
] as const
const noDelivery = [
  'PosthouseNoDelivery',
  'Prometheus reaches no delivery node IN. Mail is accepted until the queue is full, and none leaves.',
] as const

export const alertCases: readonly AlertCase[] = [
  { alert: 'none', name: 'a site that is well raises no alert', at: 120, fires: [] },

  {
    alert: 'PosthouseNoEdge',
    name: 'the pods of all edges are gone',
    ill: (site) => all(site, 'forgotten', 20, /^edge/),
    at: 22,
    fires: [of(...noEdge)],
  },
  {
    alert: 'PosthouseNoEdge',
    name: 'all edges have been away for a minute, as when the only one restarts',
    ill: (site) => all(site, 'forgotten', 20, /^edge/),
    at: 21,
    fires: [],
  },
  {
    alert: 'PosthouseNoEdge',
    name: 'one of two edges is gone for good',
    ill: (site) => site.end('edge-1', 20, 'forgotten'),
    at: 60,
    fires: [],
  },
  {
    alert: 'PosthouseNoEdge',
    name: 'nothing at all is there to look at',
    ill: (site) => (site.series = []),
    at: 2,
    fires: [ofNothing(...noEdge), ofNothing(...noDelivery)],
  },

  {
    alert: 'PosthouseNoDelivery',
    name: 'the pods of all delivery nodes are gone',
    ill: (site) => all(site, 'forgotten', 20, /^delivery/),
    at: 22,
    fires: [of(...noDelivery)],
  },
  {
    alert: 'PosthouseNoDelivery',
    name: 'all delivery nodes have been away for a minute',
    ill: (site) => all(site, 'forgotten', 20, /^delivery/),
    at: 21,
    fires: [],
  },

  {
    alert: 'PosthouseNodeDown',
    name: 'one node does not answer any more',
    ill: (site) => site.end('delivery-2', 20, 'unreachable'),
    at: 25,
    fires: [
      ofNode(
        'PosthouseNodeDown',
        'delivery-2',
        'NODE (JOB) has not answered Prometheus for five minutes. One more that dies may be felt.',
      ),
    ],
  },
  {
    alert: 'PosthouseNodeDown',
    name: 'one node does not answer for four minutes',
    ill: (site) => site.end('delivery-2', 20, 'unreachable'),
    at: 24,
    fires: [],
  },
  {
    alert: 'PosthouseNodeDown',
    name: 'something else does not answer',
    ill: (site) => {
      const labels = { job: 'else', instance: 'else:1' }
      site.series.push({ metric: 'up', labels, values: flat(0) })
    },
    at: 60,
    fires: [],
  },

  {
    alert: 'PosthouseRestarts',
    name: 'a node starts three times within twenty minutes',
    ill: (site) => {
      const starts = (minute: number) => 1_700_000_000 + Math.floor(Math.min(Math.max(minute - 30, 0), 30) / 10)
      site.set('process_start_time_seconds', site.target('edge-2'), starts)
    },
    at: 60,
    fires: [ofNode('PosthouseRestarts', 'edge-2', 'NODE (JOB) started 3 times within half an hour.')],
  },
  {
    alert: 'PosthouseRestarts',
    name: 'every node is restarted twice, as by two upgrades in a row',
    ill: (site) =>
      site.set('process_start_time_seconds', {}, (minute) => 1_700_000_000 + (minute < 40 ? 0 : minute < 50 ? 1 : 2)),
    at: 60,
    fires: [],
  },
  {
    alert: 'PosthouseRestarts',
    name: 'a process of somebody else starts over and over',
    ill: (site) => {
      const labels = { job: 'else', instance: 'else:1' }
      site.series.push({ metric: 'process_start_time_seconds', labels, values: (minute) => minute })
    },
    at: 60,
    fires: [],
  },

  {
    alert: 'PosthouseMixedVersions',
    name: 'one of the nodes has been of another version for an hour',
    ill: (site) => site.relabel('posthouse_build_info', site.target('edge-2'), 30, { version: '1.3.0' }),
    at: 90,
    fires: [of('PosthouseMixedVersions', '2 versions run IN: an upgrade or a rollback has not come to its end.')],
  },
  {
    alert: 'PosthouseMixedVersions',
    name: 'an upgrade takes half an hour',
    ill: (site) => {
      site.relabel('posthouse_build_info', site.target('edge-1'), 30, { version: '1.3.0' })
      for (const node of TARGETS.slice(1))
        site.relabel('posthouse_build_info', site.target(node), 60, { version: '1.3.0' })
    },
    at: 110,
    fires: [],
  },

  {
    alert: 'PosthouseAcceptSlow',
    name: 'two of a hundred messages wait for two seconds',
    ill: (site) => {
      for (const le of ['0.1', '0.5', '1'])
        site.set('posthouse_edge_accept_seconds_bucket', { le }, turning(600, 30, 588))
    },
    at: 43,
    fires: [
      of(
        'PosthouseAcceptSlow',
        'One message of a hundred IN waits 1.75s or longer between its final dot and the reply.',
      ),
    ],
  },
  {
    alert: 'PosthouseAcceptSlow',
    name: 'two of a hundred messages wait for two seconds while a NATS server restarts',
    ill: (site) => {
      for (const le of ['0.1', '0.5', '1']) {
        const values = (minute: number) => 600 * minute - 12 * Math.min(Math.max(minute - 30, 0), 3)
        site.set('posthouse_edge_accept_seconds_bucket', { le }, values)
      }
    },
    at: 37,
    fires: [],
  },
  {
    alert: 'PosthouseAcceptSlow',
    name: 'nobody sends anything',
    ill: (site) => {
      site.set('posthouse_edge_accept_seconds_bucket', {}, flat(0))
      site.set('posthouse_edge_messages_accepted_total', {}, flat(0))
    },
    at: 60,
    fires: [],
  },

  {
    alert: 'PosthouseQueueRefuses',
    name: 'the queue is full for some minutes',
    ill: (site) => site.set('posthouse_edge_refused_total', { reason: 'queueFull' }, growing(90, { from: 30, to: 40 })),
    at: 34,
    fires: [
      of(
        'PosthouseQueueRefuses',
        'Edges IN refuse 3 times per second with queueFull. Senders keep their mail and come back; none is lost.',
        { reason: 'queueFull' },
      ),
    ],
  },
  {
    alert: 'PosthouseQueueRefuses',
    name: 'some messages are refused in one minute, as when most NATS servers restart at once',
    ill: (site) =>
      site.set('posthouse_edge_refused_total', { reason: 'queueUnavailable' }, growing(90, { from: 30, to: 31 })),
    at: 33,
    fires: [],
  },
  {
    alert: 'PosthouseQueueRefuses',
    name: 'many strangers are refused',
    ill: (site) => site.set('posthouse_edge_refused_total', { reason: 'notListed' }, growing(60_000)),
    at: 60,
    fires: [],
  },

  {
    alert: 'PosthouseFateUnknown',
    name: 'three messages of each edge end without a reply',
    ill: (site) => site.set('posthouse_edge_fate_unknown_total', {}, growing(1, { from: 30, to: 33 })),
    at: 31,
    fires: [
      of(
        'PosthouseFateUnknown',
        'About 2 messages IN within a quarter of an hour. Their senders send again; what was stored all the same goes out twice.',
      ),
    ],
  },
  {
    alert: 'PosthouseFateUnknown',
    name: 'three messages of each edge ended without a reply, half an hour ago',
    ill: (site) => site.set('posthouse_edge_fate_unknown_total', {}, growing(1, { from: 30, to: 33 })),
    at: 63,
    fires: [],
  },

  {
    alert: 'PosthousePublishRepeated',
    name: 'edges repeat batches all the time',
    ill: (site) => site.set('posthouse_edge_publish_repeated_total', {}, growing(2, { from: 30 })),
    at: 42,
    fires: [
      of(
        'PosthousePublishRepeated',
        'About 20 batches within five minutes IN, for ten minutes now: a NATS server or the link to it is failing.',
      ),
    ],
  },
  {
    alert: 'PosthousePublishRepeated',
    name: 'edges repeat many batches in one minute, as when a NATS server restarts',
    ill: (site) => site.set('posthouse_edge_publish_repeated_total', {}, growing(200, { from: 30, to: 31 })),
    at: 35,
    fires: [],
  },

  {
    alert: 'PosthouseLoginAttack',
    name: 'passwords are guessed, and the guessers blocked',
    ill: (site) => {
      site.set('posthouse_edge_logins_total', { result: 'wrong' }, growing(15, { from: 30 }))
      site.set('posthouse_edge_logins_total', { result: 'blocked' }, growing(30, { from: 30 }))
    },
    at: 37,
    fires: [of('PosthouseLoginAttack', '1.5 log-ins per second IN are wrong, or blocked after too many wrong ones.')],
  },
  {
    alert: 'PosthouseLoginAttack',
    name: 'a client with an old password tries it every six seconds at each edge',
    ill: (site) => site.set('posthouse_edge_logins_total', { result: 'wrong' }, growing(10)),
    at: 60,
    fires: [],
  },

  {
    alert: 'PosthouseDeliveryStuck',
    name: 'one node begins no transaction while others do',
    ill: (site) => {
      const values = growing(700, { to: 30 })
      site.set('posthouse_delivery_transactions_total', site.target('delivery-1'), values)
    },
    at: 40,
    fires: [
      ofNode(
        'PosthouseDeliveryStuck',
        'delivery-1',
        'NODE has 3 transactions ready, and has begun none for five minutes.',
      ),
    ],
  },
  {
    alert: 'PosthouseDeliveryStuck',
    name: 'one node has nothing to do',
    ill: (site) => {
      site.set('posthouse_delivery_transactions_total', site.target('delivery-1'), flat(700))
      site.set('posthouse_delivery_ready', site.target('delivery-1'), flat(0))
    },
    at: 60,
    fires: [],
  },

  {
    alert: 'PosthouseNothingLeaves',
    name: 'mail comes in, and delivery nodes own no partition',
    ill: (site) => {
      site.set('posthouse_delivery_transactions_total', {}, growing(700, { to: 30 }))
      site.set('posthouse_delivery_ready', {}, flat(0))
    },
    at: 50,
    fires: [
      of(
        'PosthouseNothingLeaves',
        'About 18k messages were accepted within a quarter of an hour IN, and no delivery node began a transaction.',
      ),
    ],
  },
  {
    alert: 'PosthouseNothingLeaves',
    name: 'a quiet night: a message an hour, and its destination is away',
    ill: (site) => {
      site.set('posthouse_edge_messages_accepted_total', {}, growing(1 / 60))
      site.set('posthouse_delivery_transactions_total', {}, flat(0))
      site.set('posthouse_delivery_ready', {}, flat(0))
    },
    at: 110,
    fires: [],
  },

  {
    alert: 'PosthousePossibleDuplicates',
    name: 'each hundredth delivery may have been one too many',
    ill: (site) => site.set('posthouse_delivery_possible_duplicates_total', {}, growing(8, { from: 30 })),
    at: 34,
    fires: [
      of(
        'PosthousePossibleDuplicates',
        'About 64 possible duplicates IN within half an hour, more than one for a thousand deliveries: delivery nodes died, or hosts hung up at the final dot.',
      ),
    ],
  },
  {
    alert: 'PosthousePossibleDuplicates',
    name: 'a node was killed under load: less than one for a thousand',
    ill: (site) =>
      site.set(
        'posthouse_delivery_possible_duplicates_total',
        site.target('delivery-1'),
        growing(40, { from: 60, to: 61 }),
      ),
    at: 70,
    fires: [],
  },
  {
    alert: 'PosthousePossibleDuplicates',
    name: 'of little mail four may have come twice',
    ill: (site) => {
      site.set('posthouse_delivery_recipients_total', { outcome: 'delivered' }, growing(1))
      site.set('posthouse_delivery_recipients_total', { outcome: 'deferred' }, flat(0))
      site.set('posthouse_delivery_recipients_total', { outcome: 'bounced' }, flat(0))
      site.set('posthouse_delivery_possible_duplicates_total', {}, growing(1, { from: 60, to: 62 }))
    },
    at: 70,
    fires: [],
  },

  {
    alert: 'PosthouseDeferredShare',
    name: 'half of the attempts are deferred',
    ill: (site) => site.set('posthouse_delivery_recipients_total', { outcome: 'deferred' }, growing(808)),
    at: 16,
    fires: [of('PosthouseDeferredShare', '50% of the attempts of the last half hour IN were deferred.')],
  },
  {
    alert: 'PosthouseDeferredShare',
    name: 'a fifth of the attempts is deferred',
    ill: (site) => site.set('posthouse_delivery_recipients_total', { outcome: 'deferred' }, growing(202)),
    at: 60,
    fires: [],
  },
  {
    alert: 'PosthouseDeferredShare',
    name: 'of little mail all is deferred',
    ill: (site) => {
      site.set('posthouse_delivery_recipients_total', {}, flat(0))
      site.set('posthouse_delivery_recipients_total', { outcome: 'deferred' }, growing(0.5))
    },
    at: 60,
    fires: [],
  },

  {
    alert: 'PosthouseBouncedShare',
    name: 'a fifth bounces or expires',
    ill: (site) => {
      site.set('posthouse_delivery_recipients_total', { outcome: 'bounced' }, growing(120))
      site.set('posthouse_delivery_recipients_total', { outcome: 'expired' }, growing(80))
    },
    at: 16,
    fires: [
      of(
        'PosthouseBouncedShare',
        '20% of the recipients of the last half hour IN were given up, and their senders told.',
      ),
    ],
  },
  {
    alert: 'PosthouseBouncedShare',
    name: 'one of twenty bounces',
    ill: (site) => site.set('posthouse_delivery_recipients_total', { outcome: 'bounced' }, growing(42)),
    at: 60,
    fires: [],
  },

  {
    alert: 'PosthouseDeliveredLate',
    name: 'all that is delivered had waited',
    ill: (site) => {
      for (const le of ['1', '300'])
        site.set('posthouse_delivery_accepted_to_delivered_seconds_bucket', { le }, flat(0))
    },
    at: 11,
    fires: [
      of(
        'PosthouseDeliveredLate',
        'Half of what was delivered within half an hour IN had been accepted 32m 40s before, or longer.',
      ),
    ],
  },
  {
    alert: 'PosthouseDeliveredLate',
    name: 'a site is back, and a third of what is delivered had waited for it',
    ill: (site) => site.set('posthouse_delivery_accepted_to_delivered_seconds_bucket', { le: '300' }, growing(530)),
    at: 60,
    fires: [],
  },

  ...queueCases,
]
