/**
 * When a message that could not be delivered is tried again (RFC 5321 4.5.4.1): the wait doubles from the first to the
 * longest, some of it by chance so that mail deferred together does not come back together, and the last try falls on
 * the end of the lifetime. Time and chance are arguments.
 */

export interface RetrySettings {
  /** Wait after the first attempt, ms. */
  readonly first: number
  /** Longest wait, ms. */
  readonly longest: number
  /** How long a message is tried, ms. */
  readonly lifetime: number
}

export type Next = { readonly is: 'retry'; readonly after: number } | { readonly is: 'expired' }

/** Share of the wait that chance decides: 0.2 means 80 % to 120 % of it. */
const JITTER = 0.2
/** A last attempt that is nearer than this is not worth a write of its own. */
const SHORTEST_MS = 1000

/** `attempts` made so far (at least 1), `age` of the message, `chance` in [0, 1). */
export function nextAttempt(attempts: number, age: number, settings: RetrySettings, chance: number): Next {
  const left = settings.lifetime - age
  if (left <= 0) return { is: 'expired' }
  return { is: 'retry', after: Math.max(SHORTEST_MS, Math.min(waitAfter(attempts, settings, chance), left)) }
}

export function waitAfter(
  attempts: number,
  { first, longest }: Pick<RetrySettings, 'first' | 'longest'>,
  chance: number,
): number {
  // 2 ** 31 is beyond any longest; the exponent is bounded so that no attempt count makes it Infinity.
  const doubled = first * 2 ** Math.min(Math.max(attempts - 1, 0), 31)
  return Math.round(Math.min(doubled, longest) * (1 - JITTER + 2 * JITTER * chance))
}
