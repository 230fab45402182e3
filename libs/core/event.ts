/**
 * Events: what became of a message, for readers outside (docs/events.md, docs/event.schema.json). They are made from the
 * entries of a partition's log (event-reader.ts) and nowhere else, so that whoever reads the log again gets the same
 * events with the same ids. Plain data; JSON as it is.
 */

/** Grows only when a field changes its meaning or goes; new fields may come at any time. */
export const EVENT_SCHEMA = 1

/**
 * `accepted`: the message is in the queue. The others tell of recipients: `delivered`, `bounced`, `expired` and `discarded`
 * end them; `deferred`, `parked` and `held` say that they wait; `attempted` is the word of a node that had lost its
 * lease: its attempt counts for nothing, and the next owner tries again.
 */
export const eventTypes = [
  'accepted',
  'delivered',
  'deferred',
  'parked',
  'held',
  'bounced',
  'expired',
  'discarded',
  'attempted',
] as const
export type EventType = (typeof eventTypes)[number]

export interface MailEvent {
  readonly schema: typeof EVENT_SCHEMA
  /** Unique, and the same however often it is read: whoever has seen it may skip it. */
  readonly id: string
  readonly type: EventType
  /** RFC 3339, UTC, by the clock of the node that wrote it. */
  readonly time: string
  readonly partition: number
  /** Of the entry in the partition's log: events of one message come in this order. */
  readonly sequence: number
  /** Node that wrote it: its name, or, of an entry by an older version, the incarnation of its process. */
  readonly node: string
  /** Queue id of the message. */
  readonly message: string
  /** Reverse-path without angle brackets; '' is the null reverse-path. Absent in entries of an older version. */
  readonly sender?: string
  readonly recipients: readonly EventRecipient[]
  /** In `accepted`. */
  readonly acceptance?: Acceptance
  /** How often it was tried, the last time included, and what came of it. Absent in `accepted`; of `parked` the number only. */
  readonly attempt?: Attempt
  /** When the recipients that wait are due again, RFC 3339. */
  readonly next?: string
  /** Queue id of the report to the sender (RFC 3464) that went into the queue together with this. */
  readonly report?: string
  /** This message is itself a report: on which message, and on which of its recipients, by index. */
  readonly reports?: { readonly message: string; readonly recipients: readonly number[] }
  /** A node that died may have sent it already: these recipients may get it twice. */
  readonly possibleDuplicate?: true
}

export interface EventRecipient {
  /** Position among the recipients of the accepted message. */
  readonly index: number
  /** Absent in entries of an older version, and where very many recipients share an outcome (some 700). */
  readonly address?: string
}

export interface Attempt {
  readonly number: number
  /** Host and address that replied: "mx1.example.org[192.0.2.1]:25". */
  readonly host?: string
  /** TLS version and cipher; absent for a plain connection. */
  readonly tls?: string
  /** The deciding reply, one line, or a local reason. */
  readonly reply?: string
  /** Duration, ms. */
  readonly ms?: number
}

/** Facts of the acceptance. */
export interface Acceptance {
  /** Edge node. */
  readonly node: string
  /** Address of the client. */
  readonly client: string
  readonly helo?: string
  /** Role of the listener. */
  readonly role: string
  readonly user?: string
  readonly tls?: string
  readonly messageId?: string
  /** Bytes of the content. */
  readonly size: number
  /** How many recipients the message has: an event of very many names only some of them. */
  readonly recipients: number
  /** RFC 3339, by the edge's clock. */
  readonly acceptedAt: string
  /** W3C trace context of the acceptance, when it is traced. */
  readonly traceparent?: string
}
