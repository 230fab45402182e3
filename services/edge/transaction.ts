/** One mail transaction (RFC 5321 3.3): its sender, its parameters and the recipients it has so far. */
import { mailboxKey } from '@posthouse/core/address'
import type { Mailbox } from '@posthouse/core/address'
import type { Recipient } from '@posthouse/core/record'
import { MAX_ENVELOPE_BYTES } from '@posthouse/core/record-codec'
import type { Activity } from '@posthouse/runtime/lifecycle/activities'
import type { MailParameters, RecipientParameters } from './mail-parameters.ts'

/** Of the envelope, for all but the recipients: names, parameters and what later attempts come to. */
const KEPT_FREE = 16 * 1024

export class Transaction {
  readonly sender: Mailbox
  readonly parameters: MailParameters
  readonly recipients: Recipient[] = []
  /** By performance.now(). */
  readonly startedAt = performance.now()
  /** Some recipient was refused: tells "no valid recipients" from "no recipients". */
  refusedRecipient = false
  readonly #activity: Activity
  /** Only needed from the second recipient on. */
  #seen: Set<string> | undefined
  #first: string | undefined
  /** Bytes that the recipients take in the envelope. */
  #bytes = 0

  constructor(sender: Mailbox, parameters: MailParameters, activity: Activity) {
    this.sender = sender
    this.parameters = parameters
    this.#activity = activity
  }

  /**
   * The same mailbox twice is one recipient; local parts that differ only by case are two. False: the envelope has no room for it,
   * as long addresses with long parameters fill one before their number does.
   */
  add(mailbox: Mailbox, address: string, parameters: RecipientParameters): boolean {
    const key = mailboxKey(mailbox)
    if (key === this.#first || this.#seen?.has(key) === true) return true
    const recipient: Recipient = { address, index: this.recipients.length, ...parameters }
    this.#bytes += Buffer.byteLength(JSON.stringify(recipient))
    if (this.#bytes > MAX_ENVELOPE_BYTES - KEPT_FREE) return false
    if (this.#first === undefined) this.#first = key
    else (this.#seen ??= new Set([this.#first])).add(key)
    this.recipients.push(recipient)
    return true
  }

  end(): void {
    this.#activity.end()
  }
}
