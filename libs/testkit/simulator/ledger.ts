/**
 * Every message that a client ever gave or a node ever made, and what became of each recipient: what the client was told,
 * what lies in the streams, what the sites got, what was counted as a possible duplicate. It knows everything at once, as
 * nobody in a real cluster does.
 */
import type { MailRecord } from '@posthouse/core/record'
import { Broken } from './broken.ts'

export interface RecipientAccount {
  /** Open tasks that name it, in the streams. */
  open: number
  /** How it ended, by a stored entry. */
  final: string | undefined
  /** Times that a site got it. */
  deliveries: number
  /** Possible duplicates that were counted for it. */
  counted: number
  /** Bounces in the streams that report it. */
  bounces: number
}

export interface MessageAccount {
  readonly id: string
  readonly record: MailRecord
  readonly recipients: readonly RecipientAccount[]
  told: 'stored' | 'refused' | 'unknown' | undefined
  /** Batch and sequence it was first stored with. */
  stored:
    { readonly partition: number; readonly batch: string; readonly seq: number; readonly storedAt: number } | undefined
  /** Some entry told readers how it was accepted. */
  acceptanceTold: boolean
}

export class Ledger {
  readonly messages = new Map<string, MessageAccount>()
  /** Recipients with an open task. */
  openTasks = 0

  add(record: MailRecord): MessageAccount {
    const { id, recipients } = record.envelope
    if (this.messages.has(id)) throw new Broken('one id, one message', `${id} was made twice`)
    const account: MessageAccount = {
      id,
      record,
      recipients: recipients.map(() => ({ open: 0, final: undefined, deliveries: 0, counted: 0, bounces: 0 })),
      told: undefined,
      stored: undefined,
      acceptanceTold: false,
    }
    this.messages.set(id, account)
    return account
  }

  of(id: string): MessageAccount {
    const account = this.messages.get(id)
    if (account === undefined) throw new Broken('no message from nowhere', id)
    return account
  }

  recipient(id: string, index: number): RecipientAccount {
    const account = this.of(id).recipients[index]
    if (account === undefined) throw new Broken('no recipient from nowhere', `${id} has no recipient ${index}`)
    return account
  }

  told(id: string, told: 'stored' | 'refused' | 'unknown'): void {
    const account = this.of(id)
    account.told = told
    if (told === 'stored' && account.stored === undefined) {
      throw new Broken('250 means stored', `${id} is in no stream`)
    }
    if (told === 'refused' && account.stored !== undefined) {
      throw new Broken('refused means not stored', `${id} was stored before`)
    }
  }

  countPossibleDuplicate(id: string, index: number): void {
    this.recipient(id, index).counted++
  }

  delivered(id: string, index: number): void {
    const account = this.of(id)
    const recipient = this.recipient(id, index)
    const name = `${id}/${index}`
    if (account.told === 'refused') throw new Broken('refused means never delivered', name)
    if (recipient.final === 'delivered') throw new Broken('no delivery after a stored one', name)
    if (recipient.final !== undefined) throw new Broken('no delivery after the end', `${name} was ${recipient.final}`)
    recipient.deliveries++
    if (recipient.deliveries - 1 > recipient.counted) {
      throw new Broken(
        'every duplicate is counted',
        `${name} was delivered ${recipient.deliveries} times, ${recipient.counted} possible duplicates are counted`,
      )
    }
  }

  opened(id: string, index: number): void {
    this.recipient(id, index).open++
    this.openTasks++
  }

  closed(id: string, index: number): void {
    this.recipient(id, index).open--
    this.openTasks--
  }

  ended(id: string, index: number, how: string): void {
    const recipient = this.recipient(id, index)
    const name = `${id}/${index}`
    if (recipient.final !== undefined) {
      throw new Broken('one end for each recipient', `${name} was ${recipient.final} and is now ${how}`)
    }
    recipient.final = how
    if (how === 'delivered' && recipient.deliveries === 0) {
      throw new Broken('delivered means delivered', `${name} never reached a site`)
    }
  }

  /** After an entry: final, or exactly one open task. */
  check(id: string, index: number): void {
    const { final, open } = this.recipient(id, index)
    if (open === (final === undefined ? 1 : 0)) return
    throw new Broken('final or one open task', `${id}/${index} is ${final ?? 'not final'} and has ${open} open tasks`)
  }
}
