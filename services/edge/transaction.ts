/** One mail transaction (RFC 5321 3.3): its sender, its parameters and the recipients it has so far. */
import { mailboxKey } from '@posthouse/core/address'
import type { Mailbox } from '@posthouse/core/address'
import type { Recipient } from '@posthouse/core/record'
import type { Activity } from '@posthouse/runtime/lifecycle/activities'
import type { MailParameters, RecipientParameters } from './mail-parameters.ts'

export class Transaction {
  readonly sender: Mailbox
  readonly parameters: MailParameters
  readonly recipients: Recipient[] = []
  /** Some recipient was refused: tells "no valid recipients" from "no recipients". */
  refusedRecipient = false
  readonly #activity: Activity
  /** Only needed from the second recipient on. */
  #seen: Set<string> | undefined
  #first: string | undefined

  constructor(sender: Mailbox, parameters: MailParameters, activity: Activity) {
    this.sender = sender
    this.parameters = parameters
    this.#activity = activity
  }

  /** The same mailbox twice is one recipient; local parts that differ only by case are two. */
  add(mailbox: Mailbox, address: string, parameters: RecipientParameters): void {
    const key = mailboxKey(mailbox)
    if (this.#first === undefined) this.#first = key
    else {
      this.#seen ??= new Set([this.#first])
      if (this.#seen.has(key)) return
      this.#seen.add(key)
    }
    this.recipients.push({ address, index: this.recipients.length, ...parameters })
  }

  end(): void {
    this.#activity.end()
  }
}
