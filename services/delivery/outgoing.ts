/** One message to some of its recipients, as a transaction needs it. */
import type { ContentFacts } from '@posthouse/core/record'

export interface Outgoing {
  /** Reverse-path and its parameters: "<a@b> SIZE=12". */
  readonly mail: string
  /** Forward-paths with their parameters. */
  readonly rcpt: readonly string[]
  readonly facts: ContentFacts
  /** Undefined: it is read from `body`. */
  readonly content: Uint8Array | undefined
  body(): AsyncIterable<Uint8Array>
  /** Asked in the turn in which the final dot is written. */
  mayFinish(): boolean
  /** The kernel did not take content and dot at once before: the content goes first, alone. */
  readonly isCareful: boolean
}
