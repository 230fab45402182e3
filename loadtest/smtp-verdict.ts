// What a client knows of one try of a message: exactly what it was told, and nothing that it was not.

/** What of a message is waiting for its reply. */
export type Stage = 'MAIL' | 'RCPT' | 'DATA' | 'dot'

export type Verdict = {
  /** Every reply 4xx or 5xx on the way, one for each reply. */
  readonly noes: readonly No[]
} & (
  | {
      readonly told: 'accepted'
      readonly code: number
      readonly recipients: readonly string[]
      readonly refused: Refused[]
      readonly queueId?: string
    }
  | { readonly told: 'refused'; readonly refused: Refused[] }
  | {
      readonly told: 'unknown'
      readonly recipients: readonly string[]
      readonly refused: Refused[]
      /** How the connection was lost. */
      readonly why: string
    }
  /**
   * The connection was lost before the final dot: the message was surely not accepted. `idle`: before MAIL was said. With a
   * `farewell` the server said 421 before it closed: up to the reply to MAIL that is good order, and refuses nothing.
   */
  | { readonly told: 'nothing'; readonly at: Stage | 'idle'; readonly why: string; readonly farewell?: string }
)

export interface Refused {
  readonly recipient: string
  readonly code: number
}

export interface No {
  readonly stage: Stage
  readonly code: number
  readonly text: string
}
