/**
 * Asking the admin nodes for the story of a message, over the queue's own NATS servers: any admin node answers from its index of
 * the events. One request, one answer of less than 1 MiB.
 */
import type { MailEvent } from '@posthouse/core/event'

/** Queue id, Message-ID (with or without angle brackets), or an address: of the sender or of a recipient. */
export interface TraceQuestion {
  readonly query: string
  /** Messages at most, the newest first; 1 to 100. */
  readonly limit: number
}

/** What happened to one message: its events in the order of its partition's log. */
export interface Story {
  readonly message: string
  readonly events: readonly MailEvent[]
  /** Older events of it left out, because they were too many. */
  readonly left?: number
}

export interface TraceAnswer {
  /** Newest first. */
  readonly stories: readonly Story[]
  /** There are more messages than the limit. */
  readonly more: boolean
  /** The admin node that answered. */
  readonly node: string
  /** How far its index may lag behind the logs, ms; undefined: it is still being built. */
  readonly lagMs?: number
}
