/** What became of a task (one recipient of one record), in the words of design section 2. */

/** Facts of the attempt that led to an outcome, for the log's readers. All optional: a parked task had none. */
export interface AttemptFacts {
  /** The deciding SMTP reply, one line, e.g. "250 2.0.0 Ok: queued as 1A2B" or a local reason with its code. */
  readonly reply?: string
  /** Host and address the reply came from, "mx1.example.org[192.0.2.1]:25". */
  readonly host?: string
  /** TLS version and cipher of the connection, absent for plain. */
  readonly tls?: string
  /** Duration of the attempt, ms. */
  readonly ms?: number
}

/** A task ends for good… */
export type FinalHow = 'delivered' | 'bounced' | 'expired' | 'discarded'
/** …or goes on as a successor that the same entry carries. */
export type SuccessorHow = 'deferred' | 'parked' | 'held'
export type How = FinalHow | SuccessorHow

export type Outcome =
  | { readonly how: 'delivered'; readonly facts: AttemptFacts }
  /** Final failure. `bounce` is the RFC 3464 report to store in the same write; absent if none is due (null sender, NOTIFY). */
  | { readonly how: 'bounced' | 'expired'; readonly facts: AttemptFacts; readonly bounce?: Bounce }
  | { readonly how: 'discarded'; readonly facts: AttemptFacts }
  /** Tried, to be tried again at `due` (ms since the epoch). */
  | { readonly how: 'deferred'; readonly facts: AttemptFacts; readonly due: number; readonly destination: string }
  /** Not tried: no room at its destination. */
  | { readonly how: 'parked'; readonly due: number; readonly destination: string }

/** A bounce to be queued: its record is made by libs/core/dsn.ts; the queue gives it origin and storedAt. */
export interface Bounce {
  readonly record: import('./record.ts').MailRecord
  /** Destination key under which the bounce waits (the domain of its recipient). */
  readonly destination: string
}
