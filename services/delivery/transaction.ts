/**
 * One mail transaction (RFC 5321 3.3) on an open connection: the envelope in one write where the host takes PIPELINING
 * (RFC 2920), else command by command; the content; the fenced dot; the replies by recipient. It judges nothing.
 *
 *   envelope -> content -> (held at the dot ->) final -> over
 * From any state a lost connection, a broken reply or a drop leads to over.
 */
import { classifyReply, isClosing } from '@posthouse/core/reply-class'
import type { ServerReply } from '@posthouse/core/reply-class'
import { ContentWriter } from './content-writer.ts'
import type { Outgoing } from './outgoing.ts'
import type { SmtpClient } from './smtp-client.ts'

export interface TransactionResult {
  readonly mail: ServerReply | undefined
  /** By recipient; undefined if none came. */
  readonly rcpt: readonly (ServerReply | undefined)[]
  readonly data: ServerReply | undefined
  readonly final: ServerReply | undefined
  /** Why it did not come to its end; undefined if it did. */
  readonly cut: Cut | undefined
}

export type Cut =
  /** The connection was lost, or the host said 421; `afterDot`: nobody knows whether the message was taken. */
  | { readonly why: 'lost'; readonly reason: string; readonly afterDot: boolean }
  /** Dropped by us before the dot; 'stopping': the host takes its time, and this node has none left. */
  | { readonly why: 'fenced' | 'revoked' | 'stopping' }
  /** The content could not be read. */
  | { readonly why: 'content'; readonly error: unknown }

const RSET = -2
const MAIL = -1

export class Transaction {
  readonly #client: SmtpClient
  readonly #outgoing: Outgoing
  readonly #done: (result: TransactionResult) => void
  readonly #rcpt: (ServerReply | undefined)[]
  readonly #pipelined: boolean
  #mail: ServerReply | undefined
  #data: ServerReply | undefined
  #final: ServerReply | undefined
  #accepted = 0
  #mailRefused = false
  /** What the next reply answers: RSET, MAIL, then the index of a recipient, then DATA, then the content. */
  #next: number
  #writer: ContentWriter | undefined
  #over = false

  constructor(client: SmtpClient, outgoing: Outgoing, done: (result: TransactionResult) => void) {
    this.#client = client
    this.#outgoing = outgoing
    this.#done = done
    this.#rcpt = new Array<ServerReply | undefined>(outgoing.rcpt.length)
    this.#pipelined = client.offers.pipelining
    this.#next = client.needsReset ? RSET : MAIL
    client.needsReset = false
  }

  /** The dot is out: only the host can tell what became of it. */
  get dotIsOut(): boolean {
    return this.#writer?.dotIsOut === true
  }

  start(): void {
    const { mail, rcpt } = this.#outgoing
    const first = `${this.#next === RSET ? 'RSET\r\n' : ''}MAIL FROM:${mail}\r\n`
    if (this.#pipelined) {
      let commands = first
      for (const path of rcpt) commands += `RCPT TO:${path}\r\n`
      this.#client.command(commands + 'DATA\r\n')
    } else this.#client.command(this.#next === RSET ? 'RSET\r\n' : first)
  }

  reply(reply: ServerReply): void {
    const at = this.#next
    const last = this.#outgoing.rcpt.length
    this.#next = at + 1
    if (at === RSET) {
      if (!this.#pipelined) this.#client.command(`MAIL FROM:${this.#outgoing.mail}\r\n`)
    } else if (at === MAIL) {
      this.#mail = reply
      this.#mailRefused = classifyReply('MAIL', reply).is !== 'ok'
      if (!this.#pipelined && !this.#mailRefused) this.#rcptOrData(0)
    } else if (at < last) {
      this.#rcpt[at] = reply
      if (classifyReply('RCPT', reply).is === 'ok') this.#accepted += 1
      if (this.#pipelined && at === last - 1) this.#client.phase('data')
    } else if (at === last) this.#data = reply
    else this.#final = reply

    if (isClosing(reply)) return this.#lose(`the host said ${reply.code} ${reply.text}`)
    if (at === MAIL && this.#mailRefused && !this.#pipelined) return this.#end()
    if (at >= 0 && at < last && !this.#pipelined) return this.#rcptOrData(at + 1)
    if (at === last) return this.#content(reply)
    if (at > last) return this.#end()
  }

  /** Command by command: the next recipient, DATA when all have been asked, nothing more if none was taken. */
  #rcptOrData(index: number): void {
    const path = this.#outgoing.rcpt[index]
    if (path !== undefined) return this.#client.command(`RCPT TO:${path}\r\n`)
    if (this.#accepted > 0) return this.#client.command('DATA\r\n')
    this.#client.needsReset = true
    this.#end()
  }

  #content(reply: ServerReply): void {
    if (classifyReply('DATA', reply).is !== 'ok') {
      this.#client.needsReset = true
      return this.#end()
    }
    if (this.#mailRefused) {
      // It refused the sender and takes a message: no dot could be trusted.
      return this.cut({ why: 'lost', reason: 'the host refused MAIL and took DATA', afterDot: false })
    }
    if (this.#accepted === 0) {
      // RFC 2920 3.1: DATA was pipelined and taken although nobody was; the dot ends it, for nobody.
      this.#client.command('.\r\n')
      return
    }
    this.#writer = new ContentWriter(this.#client, this.#outgoing, (cut) => this.cut(cut))
    this.#writer.start()
  }

  /** The connection is gone, or about to be. */
  lost(reason: string): void {
    if (!this.#over) this.#lose(reason)
  }

  #lose(reason: string): void {
    const afterDot = this.dotIsOut && this.#final === undefined
    this.cut({ why: 'lost', reason, afterDot })
  }

  /** Ends it and the connection. */
  cut(cut: Cut): void {
    if (this.#over) return
    // First, for the drop itself is heard as a loss.
    this.#over = true
    this.#client.drop()
    this.#report(cut)
  }

  /** Once a second or so: the dot may be held. */
  tick(now: number): void {
    this.#writer?.tick(now)
  }

  #end(): void {
    if (this.#over) return
    this.#over = true
    this.#report(undefined)
  }

  #report(cut: Cut | undefined): void {
    this.#writer?.stop()
    this.#client.transactionOver()
    this.#done({ mail: this.#mail, rcpt: this.#rcpt, data: this.#data, final: this.#final, cut })
  }
}
