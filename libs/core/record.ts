/**
 * A record is one message with its envelope (RFC 5321 section 2.3.1), as the queue keeps it. The edge makes the first
 * one; a retry carries a copy with the recipients that are still open. Plain data: the codec is in record-codec.ts.
 */

/** DSN parameters of one recipient (RFC 3461 section 4). */
export interface Recipient {
  /** Forward-path without angle brackets, as the client wrote it (local part untouched). */
  readonly address: string
  /** Position among the recipients of the accepted message. It names the recipient for the message's whole life. */
  readonly index: number
  /** NOTIFY, e.g. ['FAILURE', 'DELAY'] or ['NEVER']. Absent: the default (failure). */
  readonly notify?: readonly string[]
  /** ORCPT as given, xtext still encoded. */
  readonly orcpt?: string
}

/** What the one scan of the content at the edge found. */
export interface ContentFacts {
  /** Bytes as they go between DATA and the final dot, without dot-stuffing. */
  readonly size: number
  /** Some byte has the high bit set, in the header or the body. */
  readonly eightBit: boolean
  /** The header section has 8-bit bytes: the message needs SMTPUTF8 (RFC 6531). */
  readonly eightBitHeader: boolean
  /** Some line begins with a dot. If not, content can be sent as it lies. */
  readonly dotLines: boolean
  /** Length in bytes of the longest line without its CRLF (RFC 5321 4.5.3.1.6 allows 998). */
  readonly longestLine: number
  /** The content ends with CRLF. If not, the sender puts one before the final dot. */
  readonly endsWithCrlf: boolean
}

/** A large content in the partition's body stream, in chunks `body.<p>.<id>.0 … chunks-1`. */
export interface BodyReference {
  readonly id: string
  readonly chunks: number
  readonly size: number
  /** Hex SHA-256 over all chunks. */
  readonly sha256: string
}

/** What the attempts so far came to; all recipients of a record share it. */
export interface AttemptState {
  /** Attempts made on these recipients. Parking and holding are no attempts. */
  readonly count: number
  /** The reply or error of the last attempt, one line, for the delay notice and the final bounce. */
  readonly lastReply?: string
  /** The host that gave the last reply. */
  readonly lastHost?: string
  /** A delay warning has been sent. */
  readonly warned?: boolean
}

/** A bounce tells which recipient of which record it reports, so that every entry that closes it says so too. */
export interface Report {
  readonly record: string
  readonly recipients: readonly number[]
}

export interface Envelope {
  /** Queue id: the same from the accepting session's log lines to the final reply. */
  readonly id: string
  /** Reverse-path without angle brackets; '' is the null reverse-path. */
  readonly from: string
  readonly recipients: readonly Recipient[]
  /** BODY=8BITMIME was given or is needed (RFC 6152). */
  readonly body8bit?: boolean
  /** SMTPUTF8 was given (RFC 6531). */
  readonly smtputf8?: boolean
  /** RET (RFC 3461). */
  readonly ret?: 'FULL' | 'HDRS'
  /** ENVID as given, xtext still encoded. */
  readonly envid?: string
  /** When the edge accepted it, ms since the epoch by the edge's clock. Shown; never used to expire (storedAt is). */
  readonly acceptedAt: number
  /** Server time at which the first record was stored, ms; 0 in a record that no owner has copied yet. */
  readonly storedAt: number
  /** MAIL sequence the message came with; 0 in a record that no owner has copied yet. */
  readonly origin: number
  /** Id of that MAIL batch (its Nats-Msg-Id), by which a repeat of it is recognised; absent until an owner copies it. */
  readonly batch?: string
  readonly attempts: AttemptState
  readonly facts: ContentFacts
  /** Present if the content is in the body stream. */
  readonly body?: BodyReference
  /** An attempt under a dead owner may have delivered it: running it counts a possible duplicate. */
  readonly suspect?: boolean
  /** Present in a bounce. */
  readonly report?: Report
  /** W3C trace context. */
  readonly traceparent?: string
  /** Facts of the acceptance for the event readers: node, client address, user, listener role, TLS, Message-ID. */
  readonly accepted?: AcceptanceFacts
  /** What the client called itself in EHLO or HELO: another fact of the acceptance, written since 0.2. */
  readonly helo?: string
  /** Fields that a newer version wrote and this one does not know: kept when the record is copied (spread the envelope). */
  readonly newer?: Readonly<Record<string, unknown>>
}

export interface AcceptanceFacts {
  readonly node: string
  readonly client: string
  readonly role: string
  readonly user?: string
  readonly tls?: string
  readonly messageId?: string
}

export interface MailRecord {
  readonly envelope: Envelope
  /** The content, exactly what the remote side will get (trace header on top); empty if envelope.body is present. */
  readonly content: Uint8Array
}
