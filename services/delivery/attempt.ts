/**
 * From a job and what the host offers to a transaction, and from the replies to what they mean for each recipient. Pure
 * but for the delivery that is passed through.
 */
import { fit } from '@posthouse/core/downgrade'
import type { Refusal } from '@posthouse/core/downgrade'
import type { Envelope, Recipient } from '@posthouse/core/record'
import { classifyReply, isClosing, oneLine, replyLine } from '@posthouse/core/reply-class'
import type { ServerReply, Verdict } from '@posthouse/core/reply-class'
import type { Job } from './job.ts'
import type { Offers } from './offers.ts'
import type { Outgoing } from './outgoing.ts'
import type { TransactionResult } from './transaction.ts'

/** What an attempt came to for one recipient. */
export interface Finding {
  readonly position: number
  readonly is: 'delivered' | 'temporary' | 'permanent' | 'next transaction'
  readonly status: string
  readonly diagnostic: string
  /** The diagnostic is a reply of the host. */
  readonly isReply: boolean
}

export interface Prepared {
  /** Undefined if nobody is left to send to. */
  readonly outgoing: Outgoing | undefined
  /** Positions in the order of outgoing.rcpt. */
  readonly sent: readonly number[]
  /** Recipients that cannot be sent to this host. */
  readonly refused: readonly Finding[]
}

export function prepare(job: Job, offers: Offers): Prepared {
  const { delivery, positions } = job
  const { envelope } = delivery
  const recipients = positions.map((position) => envelope.recipients[position] as Recipient)
  const fitting = fit(
    {
      from: envelope.from,
      to: recipients.map((recipient) => recipient.address),
      smtputf8: envelope.smtputf8 === true,
      facts: envelope.facts,
    },
    offers,
  )
  if (fitting.is === 'refused')
    return { outgoing: undefined, sent: [], refused: positions.map((position) => refusal(position, fitting.refusal)) }
  const rcpt: string[] = []
  const sent: number[] = []
  const refused: Finding[] = []
  for (const [index, to] of fitting.to.entries()) {
    const position = positions[index] as number
    const recipient = recipients[index] as Recipient
    if (typeof to !== 'string') refused.push(refusal(position, to))
    else if (!isSafe(to)) refused.push(refusal(position, { status: '5.1.3', reason: 'the address cannot be sent' }))
    else {
      rcpt.push(offers.dsn ? `<${to}>${rcptParameters(recipient)}` : `<${to}>`)
      sent.push(position)
    }
  }
  if (sent.length === 0) return { outgoing: undefined, sent, refused }
  const outgoing: Outgoing = {
    mail: `<${fitting.from}>${mailParameters(envelope, offers, fitting.sayEightBit, fitting.saySmtputf8)}`,
    rcpt,
    facts: envelope.facts,
    content: delivery.content,
    body: () => delivery.body(),
    mayFinish: () => delivery.mayFinish(),
    isCareful: job.restarts > 0,
  }
  return { outgoing, sent, refused }
}

function mailParameters(envelope: Envelope, offers: Offers, eightBit: boolean, smtputf8: boolean): string {
  let parameters = offers.sizeIsOffered ? ` SIZE=${envelope.facts.size}` : ''
  if (eightBit) parameters += ' BODY=8BITMIME'
  if (smtputf8) parameters += ' SMTPUTF8'
  if (offers.dsn && envelope.ret !== undefined) parameters += ` RET=${envelope.ret}`
  if (offers.dsn && envelope.envid !== undefined && isParameter(envelope.envid))
    parameters += ` ENVID=${envelope.envid}`
  return parameters
}

function rcptParameters({ notify, orcpt }: Recipient): string {
  let parameters = notify === undefined || notify.length === 0 ? '' : ` NOTIFY=${notify.join(',')}`
  if (orcpt !== undefined && isParameter(orcpt)) parameters += ` ORCPT=${orcpt}`
  return parameters
}

/** Nothing that could end the path or the command. The edge refuses such addresses; this is the last gate. */
function isSafe(address: string): boolean {
  return address !== '' && !/[\x00-\x1f\x7f<>]/.test(address)
}
function isParameter(value: string): boolean {
  return /^[!-~]+$/.test(value)
}

function refusal(position: number, { status, reason }: Refusal): Finding {
  return { position, is: 'permanent', status, diagnostic: reason, isReply: false }
}

/** What the replies mean. `sent` are the positions in the order of RCPT. */
export function judge(sent: readonly number[], result: TransactionResult): Finding[] {
  const { mail, data, final, cut } = result
  let accepted = 0
  return sent.map((position, index) => {
    const rcpt = result.rcpt[index]
    if (mail !== undefined) {
      const verdict = classifyReply('MAIL', mail)
      if (verdict.is !== 'ok') return finding(position, verdict, mail)
    }
    if (rcpt !== undefined && !(cut !== undefined && isClosing(rcpt))) {
      const verdict = classifyReply('RCPT', rcpt, accepted)
      if (verdict.is !== 'ok') return finding(position, verdict, rcpt)
      accepted += 1
    }
    const deciding = final ?? (data === undefined || data.code === 354 ? undefined : data)
    if (cut !== undefined && (deciding === undefined || isClosing(deciding))) return cutFinding(position, result)
    if (deciding === undefined) return unanswered(position)
    const verdict = classifyReply(final === undefined ? 'DATA' : 'final', deciding)
    return finding(position, verdict, deciding)
  })
}

/** Those that the content was for: the host had said yes to them. */
export function takenAtRcpt(sent: readonly number[], { rcpt }: TransactionResult): number[] {
  return sent.filter((_, index) => Math.floor((rcpt[index]?.code ?? 0) / 100) === 2)
}

function finding(position: number, verdict: Verdict, reply: ServerReply): Finding {
  if (verdict.is === 'ok')
    return { position, is: 'delivered', status: '2.0.0', diagnostic: replyLine(reply), isReply: true }
  return { position, is: verdict.is, status: verdict.status, diagnostic: replyLine(reply), isReply: true }
}

function cutFinding(position: number, result: TransactionResult): Finding {
  const { cut, final, data } = result
  const closing = [final, data, ...result.rcpt].find((reply) => reply !== undefined && isClosing(reply))
  if (closing !== undefined)
    return { position, is: 'temporary', status: '4.3.2', diagnostic: replyLine(closing), isReply: true }
  const reason =
    cut?.why === 'lost' ? cut.reason : cut?.why === 'content' ? `the content: ${String(cut.error)}` : 'given up'
  const status = cut?.why === 'content' ? '4.3.0' : '4.4.2'
  return { position, is: 'temporary', status, diagnostic: oneLine(reason), isReply: false }
}

/** A reply code that neither ends nor continues the transaction. */
function unanswered(position: number): Finding {
  return { position, is: 'temporary', status: '4.5.0', diagnostic: 'the host gave no usable reply', isReply: false }
}

/** The host let us connect and then would not even take a sender. */
export function isSenseless({ cut, mail }: TransactionResult): boolean {
  return cut?.why === 'lost' && (mail === undefined || isClosing(mail))
}

/** The same on a connection that had served before: it had been closed meanwhile, the message is not concerned. */
export function isStale(result: TransactionResult, served: number): boolean {
  return isSenseless(result) && served > 1
}
