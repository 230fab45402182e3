/** What a host offers in its reply to EHLO (RFC 5321 4.1.1.1), as far as a transaction cares. */

export interface Offers {
  readonly pipelining: boolean
  readonly eightBitMime: boolean
  readonly smtputf8: boolean
  readonly dsn: boolean
  readonly sizeIsOffered: boolean
  /** The largest message it takes, in bytes; 0: it does not say. */
  readonly size: number
}

/** Before the host has said anything. */
export const NOTHING = offersOf([], 0)

/** `keywords` in capitals. */
export function offersOf(keywords: readonly string[], size: number): Offers {
  const offered = new Set(keywords)
  return {
    pipelining: offered.has('PIPELINING'),
    eightBitMime: offered.has('8BITMIME'),
    smtputf8: offered.has('SMTPUTF8'),
    dsn: offered.has('DSN'),
    sizeIsOffered: offered.has('SIZE'),
    size,
  }
}
