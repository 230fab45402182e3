/** A queue that says what a test wants. */
import type { AdminPort, ClusterView, PartitionFigures, StreamView } from '@posthouse/queue/admin-port'
import type { Readiness } from '@posthouse/queue/port'
import type { TraceAnswer, TraceQuestion } from '@posthouse/queue/trace-port'
import { FakeFeed } from './fake-feed.ts'

type Answer = (question: TraceQuestion) => Promise<TraceAnswer>

/** What admin nodes of one test say to each other. */
export class FakeCluster {
  readonly nodes: FakePort[] = []
}

export class FakePort implements AdminPort {
  readonly partitions: number
  readonly feed: FakeFeed
  readonly name: string
  readonly cluster: FakeCluster
  ready: Readiness
  saysFigures: PartitionFigures[]
  saysView: ClusterView
  /** Undefined: nobody answers. */
  answer: Answer | undefined
  deadLetters: Parameters<AdminPort['answerDeadLetters']>[0] | undefined
  closed = false
  /** Hears and is heard. */
  lives = true
  readonly #hear = new Set<(from: string, words: string) => void>()

  constructor({
    partitions = 2,
    name = 'admin-1',
    cluster = new FakeCluster(),
    feed = new FakeFeed(partitions),
  }: { partitions?: number; name?: string; cluster?: FakeCluster; feed?: FakeFeed } = {}) {
    this.partitions = partitions
    this.feed = feed
    this.name = name
    this.cluster = cluster
    this.saysFigures = Array.from({ length: partitions }, (_, partition) => figures(partition))
    this.saysView = view(partitions)
    cluster.nodes.push(this)
  }

  figures(): readonly PartitionFigures[] {
    return this.saysFigures
  }

  view(): ClusterView {
    return this.saysView
  }

  answerTraces(answer: Answer): () => void {
    this.answer = answer
    return () => {
      this.answer = undefined
    }
  }

  answerDeadLetters(answer: Parameters<AdminPort['answerDeadLetters']>[0]): () => void {
    this.deadLetters = answer
    return () => {
      this.deadLetters = undefined
    }
  }

  admins(): readonly string[] {
    return this.cluster.nodes
      .filter(({ lives }) => lives)
      .map(({ name }) => name)
      .sort()
  }

  tell(words: string): void {
    for (const node of this.cluster.nodes)
      if (node !== this && node.lives && this.lives) for (const hear of node.#hear) hear(this.name, words)
  }

  onWords(hear: (from: string, words: string) => void): () => void {
    this.#hear.add(hear)
    return () => this.#hear.delete(hear)
  }

  notReady(): Readiness {
    return this.ready
  }

  close(): Promise<void> {
    this.closed = true
    this.lives = false
    return Promise.resolve()
  }
}

export function figures(partition: number, fields: Partial<PartitionFigures> = {}): PartitionFigures {
  return {
    partition,
    owner: 'delivery-1',
    ready: 0,
    inFlight: 0,
    later: 0,
    bytes: 0,
    oldestAt: undefined,
    destinations: [],
    saidAgo: 500,
    ...fields,
  }
}

function view(partitions: number): ClusterView {
  const streams = Array.from({ length: partitions }, (_, partition) =>
    (['mail', 'log', 'body'] as const).map((kind): StreamView => ({
      name: `${kind.toUpperCase()}_${partition}`,
      kind,
      partition,
      leader: 'nats-1',
      replicas: 3,
      behind: 0,
      lag: 0,
      messages: 10,
      bytes: 1000,
      maxBytes: 100_000,
      firstSeq: 1,
      lastSeq: 10,
    })),
  ).flat()
  return {
    ago: 2000,
    servers: [
      { name: 'nats-1', online: true, leads: streams.length },
      { name: 'nats-2', online: true, leads: 0 },
    ],
    streams,
    storage: { used: 5000, limit: undefined },
    disconnected: undefined,
  }
}
