/** What the queue's servers answered to one try of one operation. Never more than what is known. */

export type Refusal =
  /** No responders (503), or JetStream has no leader for the stream. */
  | 'no-leader'
  /** The stream's, account's or server's limit (10077, 10002, 10023). */
  | 'full'
  /** Wrong last sequence on the checked subject (10071): read again; proves nothing by itself. */
  | 'wrong-last'
  /** 10164, or a collision with another write in flight: try again. */
  | 'busy'
  /** 10158: the first try with this id is still in flight: ask again. Its fate is unknown. */
  | 'in-flight'
  /** Any other refusal; the text goes to the log. */
  | 'other'

export type PublishAnswer =
  | { readonly is: 'stored'; readonly seq: number; readonly duplicate: boolean }
  /** This try surely was not stored. Says nothing of other tries. */
  | { readonly is: 'refused'; readonly why: Refusal; readonly text?: string }
  /** No answer in time: this try may be stored, now or later. */
  | { readonly is: 'unanswered' }
