// What the dashboards have to show of the mail of queries.cluster.test.ts, by dashboard and title of the panel. All other panels show
// any numbers.
import type { Sample } from '../../prometheus/test/prometheus-server.ts'

export interface Expectation {
  /** None: any series. */
  readonly labels?: Readonly<Record<string, string>>
  readonly above: number
}

const SOME: readonly Expectation[] = [{ above: 0 }]
const each = (label: string, ...values: string[]): readonly Expectation[] =>
  values.map((value) => ({ labels: { [label]: value }, above: 0 }))

const PROCESSES = {
  CPU: SOME,
  Memory: [{ above: 10_000_000 }],
  'Event loop lag': SOME,
  'Running since': SOME,
  Versions: SOME,
}

export const EXPECTED: Readonly<Record<string, Readonly<Record<string, readonly Expectation[]>>>> = {
  'overview.json': {
    Accepted: each('role', 'relay', 'submission'),
    'Time to the 250': SOME,
    'Recipients accepted and delivered': SOME,
    'Recipients in the queue': [{ above: -1 }],
    'Oldest message': SOME,
    'Acceptance to delivery': SOME,
    Edges: SOME,
    'Delivery nodes': SOME,
    Refused: each('reason', 'authenticationRequired'),
    'Not delivered': each('outcome', 'deferred', 'bounced'),
    'Refusals of other hosts': each('code', '451', '550'),
    'Destinations that wait most': SOME,
  },
  'edge.json': {
    ...PROCESSES,
    Accepted: each('role', 'relay', 'submission'),
    Refused: each('reason', 'authenticationRequired'),
    'Time to the 250': SOME,
    'Recipients accepted': SOME,
    'Content accepted': SOME,
    Replies: each('class', '2xx', '5xx'),
    'Connections taken': each('role', 'relay', 'submission'),
    'Log-ins': each('result', 'ok', 'wrong'),
    'TLS sessions': SOME,
    'Time to publish': SOME,
    'Messages in a batch': SOME,
    'Fullest partition': [{ above: -1 }],
  },
  'delivery.json': {
    ...PROCESSES,
    Recipients: each('outcome', 'delivered', 'deferred', 'bounced'),
    'Acceptance to delivery': SOME,
    Replies: each('code', '250', '451', '550'),
    Attempts: each('result', 'delivered'),
    'Time of a transaction': SOME,
    Transactions: SOME,
    'Partitions owned': SOME,
    'Storing outcomes': each('kind', 'outcome', 'later'),
    'Connections opened': each('result', 'plain'),
  },
  'queue.json': {
    ...PROCESSES,
    'Later now': SOME,
    'Oldest now': SOME,
    Owned: SOME,
    'Most recipients that wait': SOME,
    'Oldest of those destinations': SOME,
    'Who exports': SOME,
    Events: each('type', 'accepted', 'delivered', 'deferred', 'bounced'),
    'Size of the index': SOME,
    'Messages in the index': SOME,
    'Time to index a batch': SOME,
    'Questions for traces': SOME,
    'Time to answer a question': SOME,
    'Requests to webhooks': each('result', 'delivered'),
    'Time of a request to a webhook': SOME,
  },
  'nats.json': {
    Servers: SOME,
    'Servers reached': SOME,
    'Streams led': SOME,
    'Admin nodes that reach NATS': SOME,
    'Partitions with all leaders': SOME,
    Replicas: each('kind', 'mail', 'log', 'body'),
    Messages: each('kind', 'log'),
    Bytes: each('kind', 'log'),
    Storage: SOME,
    'Time to publish': SOME,
    'Storing outcomes': each('kind', 'outcome', 'later'),
  },
}

export function isSeen({ labels = {}, above }: Expectation, samples: readonly Sample[]): boolean {
  return samples.some(
    ({ metric, value }) =>
      Number(value[1]) > above && Object.entries(labels).every(([name, wanted]) => metric[name] === wanted),
  )
}
