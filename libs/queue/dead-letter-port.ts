/** Asking the admin nodes what webhooks lack for good; the one that sends to them answers. */

export interface DeadLettersQuestion {
  /** Name of a webhook; absent: all. */
  readonly webhook?: string
  /** Letters of each webhook at most, the newest first; 1 to 100. */
  readonly limit: number
}

export interface DeadLettersAnswer {
  readonly webhooks: readonly WebhookDeadLetters[]
  /** The admin node that answered. */
  readonly node: string
}

export interface WebhookDeadLetters {
  readonly webhook: string
  /** How many are kept. */
  readonly count: number
  readonly letters: readonly DeadLetterFacts[]
}

export interface DeadLetterFacts {
  /** Id of the event. */
  readonly event: string
  /** Queue id. */
  readonly message: string
  readonly reason: string
  /** When it was given up, RFC 3339. */
  readonly time: string
}
