// What happened, as the ledger reads it: what the clients were told and what the sink took. Times are monotonic
// milliseconds of one process.

/** What a client was told about one try of a message, for those of its recipients that shared the answer. */
export interface Attempt {
  readonly id: string
  readonly recipients: readonly string[]
  readonly digest: string
  /** `unknown`: the connection was lost after the final dot had gone out and before its reply came. */
  readonly told: 'accepted' | 'refused' | 'unknown'
  readonly code: number
  /** The queue id that the 250 named. */
  readonly queueId?: string
  readonly startedAt: number
  readonly endedAt: number
}

/** One message taken by the sink for one recipient. */
export interface Arrival {
  readonly kind: 'mail' | 'bounce'
  /** Of a bounce: the recipient that it reports, or '' when it names none. */
  readonly recipient: string
  /** Digest of the content without the trace header; null when there was no trace header to take off. Of a bounce: ''. */
  readonly digest: string | null
  readonly at: number
  /** Under which id the relay held it: from the trace header; of a bounce, its own id. */
  readonly queueId?: string
  /** The delivery node it came from, where its address tells. */
  readonly from?: string
  /** Taken, but the connection was dropped by script before the reply: the relay must send it again. */
  readonly unanswered?: boolean
}

export class History {
  readonly attempts: Attempt[] = []
  readonly arrivals: Arrival[] = []
}
