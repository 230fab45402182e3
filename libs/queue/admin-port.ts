/**
 * The queue as an admin node needs it: figures of the whole queue, the state of its streams and servers, the events, questions for
 * stories, and the other admin nodes. It reads only.
 */
import type { DeadLettersAnswer, DeadLettersQuestion } from './dead-letter-port.ts'
import type { EventFeed } from './event-feed.ts'
import type { Readiness } from './port.ts'
import type { TraceAnswer, TraceQuestion } from './trace-port.ts'

export interface AdminPort {
  readonly partitions: number
  readonly feed: EventFeed
  /** As of the last words of the owners (every two seconds or so); by partition. */
  figures(): readonly PartitionFigures[]
  /** As of the last round of questions to the servers (every few seconds). */
  view(): ClusterView
  /** Answers questions from now on; another admin node may get them instead. Returns how to stop it. */
  answerTraces(answer: (question: TraceQuestion) => Promise<TraceAnswer>): () => void
  /** The same; every admin node hears such a question, and whoever is not the one to answer rejects. */
  answerDeadLetters(answer: (question: DeadLettersQuestion) => Promise<DeadLettersAnswer>): () => void
  /** Tells the other admin nodes of this one, and hears of them: the names of all that live, in order, this one among them. */
  admins(): readonly string[]
  /** Says some words to the other admin nodes, at most 256 KiB; lost unseen by those that do not listen just then. */
  tell(words: string): void
  /** Hears what the others say. Returns how to stop it. */
  onWords(hear: (from: string, words: string) => void): () => void
  notReady(): Readiness
  close(): Promise<void>
}

/** What the owner of a partition says of it. */
export interface PartitionFigures {
  readonly partition: number
  /** Name of the delivery node that owns it; undefined: nobody does, or nobody has said so for long. */
  readonly owner: string | undefined
  /** Recipients that wait for their first attempt, those under way included; without an owner, as far as the streams tell. */
  readonly ready: number
  /** Recipients that are being tried now. */
  readonly inFlight: number
  /** Recipients that were deferred, parked or held. */
  readonly later: number
  /** Of the batches that have something open. */
  readonly bytes: number
  /** Server time, ms, at which the oldest message that is still open was accepted; undefined: nothing is open. */
  readonly oldestAt: number | undefined
  /** The largest destinations, largest first; those of the first attempt are not known by destination. */
  readonly destinations: readonly DestinationFigures[]
  /** Age of these words, ms; undefined: no owner has spoken since this process began. */
  readonly saidAgo: number | undefined
}
export interface DestinationFigures {
  readonly destination: string
  /** Recipients that wait. */
  readonly later: number
  /** As in PartitionFigures. */
  readonly oldestAt: number
}

/** The servers and streams as seen from here: what an exporter for NATS would tell of them. */
export interface ClusterView {
  /** ms since the last complete round of questions. */
  readonly ago: number
  /** Servers that hold streams or to which this process is connected, in order of their names. */
  readonly servers: readonly ServerView[]
  readonly streams: readonly StreamView[]
  /** Bytes of the account: in use, and its limit; undefined: no limit is set. */
  readonly storage: { readonly used: number; readonly limit: number | undefined }
  /** Why no server can be asked. */
  readonly disconnected: string | undefined
}
export interface ServerView {
  readonly name: string
  /** Some leader reached it lately, or this process is connected to it. */
  readonly online: boolean
  /** Streams it leads. */
  readonly leads: number
}
export interface StreamView {
  readonly name: string
  readonly kind: 'mail' | 'log' | 'body'
  readonly partition: number
  /** Name of the server; undefined: it has no leader, or none answers. */
  readonly leader: string | undefined
  readonly replicas: number
  /** Replicas, the leader not counted, that are offline or lag. */
  readonly behind: number
  /** Of the replica that lags most, operations. */
  readonly lag: number
  readonly messages: number
  readonly bytes: number
  readonly maxBytes: number
  readonly firstSeq: number
  readonly lastSeq: number
}
