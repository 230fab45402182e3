/**
 * The mail part of a session: MAIL, RCPT, DATA and the content, up to the queue's answer. Nothing of a refused command
 * stays: a transaction begins when its MAIL was good in every respect, and is dropped whole.
 */
import { parsePath } from '@posthouse/core/address'
import { maySendAs } from '@posthouse/core/users'
import { commit } from './commit.ts'
import { Incoming } from './incoming.ts'
import { parseMailParameters, parseRecipientParameters } from './mail-parameters.ts'
import { replies } from './replies.ts'
import type { ReplyName } from './replies.ts'
import type { Session } from './session.ts'
import { topHeaders } from './top-headers.ts'
import { Transaction } from './transaction.ts'

/** A client that sends too much is heard out up to this many limits, so that it reads the reply; then it is cut. */
const heardOut = 2
/** Seconds of content before its rate counts. */
const rateGrace = 30

export class Dialogue {
  readonly #session: Session
  #transaction: Transaction | undefined
  #incoming: Incoming | undefined
  #id = ''
  #awaitsFate = false
  #contentSeconds = 0

  constructor(session: Session) {
    this.#session = session
  }

  get inTransaction(): boolean {
    return this.#transaction !== undefined
  }
  get awaitsFate(): boolean {
    return this.#awaitsFate
  }

  mail(rest: string): void {
    const session = this.#session
    const { context, listener } = session
    if (!session.hasGreeted) return session.refuse('greetFirst')
    if (listener.role === 'relay') {
      if (!session.isListed) return session.refuse('notListed')
    } else {
      if (!session.secure) return session.refuse('tlsFirst')
      if (session.user === undefined) return session.refuse('authenticationRequired')
    }
    if (this.#transaction !== undefined) return session.refuse('nestedMail')
    const notReady = context.queue.notReady()
    if (notReady !== undefined) return session.refuse(queueReply(notReady.why), notReady.reason)
    const path = pathAfter('FROM:', rest)
    if (path === undefined) return session.refuse('badSender')
    const parsed = parsePath(path)
    if ('invalid' in parsed) return session.refuse('badSender', parsed.invalid)
    const sender = parsed.mailbox
    if (sender.domain === '' && sender.address !== '') return session.refuse('badSender')
    const parameters = parseMailParameters(parsed.rest)
    if (parameters.is === 'refused') return session.refuse(parameters.name)
    if ((parameters.value.size ?? 0) > context.limits.messageSize) return session.refuse('tooLarge')
    if (sender.international && parameters.value.smtputf8 !== true) return session.refuse('needSmtputf8')
    if (session.user !== undefined && !maySendAs(session.user, sender)) {
      return session.refuse('notOwner', sender.address)
    }
    const activity = context.activities.begin('smtp transaction')
    if (activity === undefined) return session.refuse('shuttingDown')
    this.#transaction = new Transaction(sender, parameters.value, activity)
    session.put(replies.senderOk)
  }

  rcpt(rest: string): void {
    const session = this.#session
    const transaction = this.#transaction
    if (transaction === undefined) return session.refuse(session.hasGreeted ? 'needMail' : 'greetFirst')
    const name = this.#recipient(transaction, rest)
    if (name === undefined) return session.put(replies.recipientOk)
    transaction.refusedRecipient = true
    session.refuse(name)
  }

  #recipient(transaction: Transaction, rest: string): ReplyName | undefined {
    const path = pathAfter('TO:', rest)
    if (path === undefined) return 'badRecipient'
    const parsed = parsePath(path)
    if ('invalid' in parsed || parsed.mailbox.address === '') return 'badRecipient'
    const { mailbox } = parsed
    const parameters = parseRecipientParameters(parsed.rest)
    if (parameters.is === 'refused') return parameters.name
    if (mailbox.international && transaction.parameters.smtputf8 !== true) return 'needSmtputf8'
    const { limits, hostname } = this.#session.context
    if (transaction.recipients.length >= limits.recipients) return 'tooManyRecipients'
    // RFC 5321 4.5.1: postmaster without a domain is ours.
    const address = mailbox.domain === '' ? `${mailbox.address}@${hostname}` : mailbox.address
    return transaction.add(mailbox, address, parameters.value) ? undefined : 'tooManyRecipients'
  }

  data(): void {
    const session = this.#session
    const transaction = this.#transaction
    if (transaction === undefined) return session.refuse(session.hasGreeted ? 'needMail' : 'greetFirst')
    if (transaction.recipients.length === 0) {
      return session.refuse(transaction.refusedRecipient ? 'noValidRecipient' : 'needRecipient')
    }
    const { context } = session
    const id = context.nextId()
    this.#id = id
    this.#contentSeconds = 0
    this.#incoming = new Incoming({
      sizeLimit: context.limits.messageSize,
      normaliseNewlines: session.listener.bareNewlines === 'normalise',
      openBody: () => context.queue.openBody(),
      topHeaders: (scan) => topHeaders(session, transaction, id, scan),
    })
    session.put(replies.startMail)
    session.input?.beginContent()
  }

  onContent(piece: Buffer): void {
    this.#incoming?.take(piece)
  }

  onContentChunk(memory: ArrayBuffer | undefined): void {
    const incoming = this.#incoming
    if (incoming === undefined) return
    if (memory !== undefined) incoming.own(memory)
    const session = this.#session
    if (incoming.state.is === 'too-large' && incoming.received > heardOut * session.context.limits.messageSize) {
      session.refuseMessage('tooLarge', this.#id)
      return session.close()
    }
    const room = incoming.settle()
    if (room === undefined) return
    session.hold()
    void room.then(() => {
      // The end may have come with the same chunk: then it is not yet the client's turn.
      if (!this.#awaitsFate) session.release()
    })
  }

  onContentEnd(): void {
    const incoming = this.#incoming
    const transaction = this.#transaction
    if (incoming === undefined || transaction === undefined) return
    const session = this.#session
    this.#awaitsFate = true
    session.hold()
    commit({ session, transaction, incoming, id: this.#id }, (outcome) => {
      this.#incoming = undefined
      this.#awaitsFate = false
      this.#end()
      switch (outcome.is) {
        case 'accepted':
          session.putLine(250, outcome.wire)
          session.forgive()
          break
        case 'refused':
          session.refuseMessage(outcome.name, this.#id, outcome.trace)
          break
        case 'unknown':
          return session.dropWithoutReply()
      }
      session.release()
    })
  }

  reset(): void {
    this.#end()
  }

  #end(): void {
    this.#transaction?.end()
    this.#transaction = undefined
  }

  /** The client is gone. A message it had finished keeps its way; one that was still coming is dropped. */
  connectionLost(): void {
    if (this.#awaitsFate) return
    const incoming = this.#incoming
    this.#incoming = undefined
    this.#end()
    incoming?.abandon().catch((error: unknown) => {
      this.#session.context.log.warn(
        { err: error, id: this.#id },
        'the body of a message that never ended stays until it is swept',
      )
    })
  }

  /** Once a second while the client's time runs. Undefined: no content is coming; true: it comes too slowly. */
  tick(): boolean | undefined {
    const incoming = this.#incoming
    if (incoming === undefined) return undefined
    this.#contentSeconds += 1
    const due = (this.#contentSeconds - rateGrace) * this.#session.context.limits.dataRate
    return incoming.received < due
  }
}

/** "FROM:<a@b> X" -> "<a@b> X". A blank after the colon is no SMTP, but old clients send it. */
function pathAfter(keyword: string, rest: string): string | undefined {
  if (rest.slice(0, keyword.length).toUpperCase() !== keyword) return undefined
  return rest.slice(keyword.length).trimStart()
}

export function queueReply(why: 'full' | 'unavailable'): ReplyName {
  return why === 'full' ? 'queueFull' : 'queueUnavailable'
}
