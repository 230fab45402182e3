// Where a probe's message comes out: a mail host for one recipient, open as long as the probe. What it takes, and why:
//
//   the probe's message          taken (250), again and again: a relay may deliver twice, and shall not keep the second copy
//   a left-over                  taken (250) and dropped: the message of an earlier probe that had given up waiting. Nobody
//                                will ever wait for it again; refused for now it would be tried for days at a port that is
//                                closed most of the time, and refused for good its report would go to whoever --from is.
//                                It is known by the field with another token. A probe that runs at this moment elsewhere
//                                under the same --to looks just the same and would lose its message here: hence the
//                                advice of one address for each.
//   any other mail               refused for good (550 5.7.1; 552 if it is large): its sender hears now that nobody reads
//                                here. Reports on earlier probes come too if --from is --to; they have no sender and
//                                end with that.
//   mail to another address      refused for good (550 5.1.1): this is no open door, however many addresses it listens on
import { domainToASCII } from 'node:url'
import { isIPv6, SocketAddress, type AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'
import type { SMTPServerDataStream, SMTPServerSession } from 'smtp-server'
import { printable } from './human.ts'
import { flawOf, tokenOf, type ProbeMessage } from './probe-message.ts'

/** A probe's message is below 3 KiB; the rest is for trace headers. */
const MOST_BYTES = 64 * 1024
const MOST_CLIENTS = 20

/** When the message came out, and how. */
export interface Arrival {
  /** By the monotonic clock, ms. */
  readonly time: number
  /** Address and port at which it came out. */
  readonly at: string
  /** Who brought it: name and address. */
  readonly from: string
  /** What is not as it should be, in words. */
  readonly flaw: string | undefined
}

export class ProbeSink {
  /** Settled by the first copy of the message; never rejects. */
  readonly arrival: Promise<Arrival>
  /** The last mail that was refused, in words, for those who wonder where theirs is. */
  lastRefusal: string | undefined
  leftOvers = 0
  readonly #message: ProbeMessage
  readonly #note: (line: string) => void
  readonly #server: SMTPServer
  #arrived: ((arrival: Arrival) => void) | undefined

  private constructor(message: ProbeMessage, note: (line: string) => void) {
    this.#message = message
    this.#note = note
    this.arrival = new Promise((resolve) => (this.#arrived = resolve))
    this.#server = new SMTPServer({
      name: 'probe.posthouse.example',
      banner: 'Posthouse probe',
      disabledCommands: ['AUTH', 'STARTTLS'],
      authOptional: true,
      disableReverseLookup: true,
      size: MOST_BYTES,
      maxClients: MOST_CLIENTS,
      closeTimeout: 1, // who has no message under way is told 421 at once
      logger: false,
      onRcptTo: ({ address }, session, done) => {
        if (canonical(address) === canonical(this.#message.to)) return done()
        this.#refuse(done, 550, '5.1.1 No such address: a probe listens here', `mail to <${address}>`, session)
      },
      onData: (stream, session, done) => this.#take(stream, session, done),
    })
    this.#server.on('error', () => {}) // a client that broke off; it will come again
  }

  /** Resolves once it listens. Rejects with the system's error. Without a host: at all addresses. */
  static async open(
    listen: { readonly host?: string; readonly port: number },
    message: ProbeMessage,
    note: (line: string) => void,
  ): Promise<ProbeSink> {
    const sink = new ProbeSink(message, note)
    const { server } = sink.#server
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(listen, () => {
        server.off('error', reject)
        resolve()
      })
    })
    return sink
  }

  get port(): number {
    return (this.#server.server.address() as AddressInfo).port
  }

  /** Takes nothing more. What was answered is answered; connections are ended in good order. */
  close(): Promise<void> {
    return new Promise((resolve) => this.#server.close(resolve))
  }

  #take(stream: SMTPServerDataStream, session: SMTPServerSession, done: Done): void {
    const chunks: Buffer[] = []
    stream.on('error', () => {}) // the client went away before the end: nothing is answered, it will come again
    stream.on('data', (chunk: Buffer) => {
      if (!stream.sizeExceeded) chunks.push(chunk)
    })
    stream.on('end', () => {
      const content = Buffer.concat(chunks)
      const token = tokenOf(content)
      const { mailFrom } = session.envelope
      const from = mailFrom === false ? '' : mailFrom.address
      if (stream.sizeExceeded) {
        this.#refuse(done, 552, '5.3.4 Larger than any probe', `a large message from <${from}>`, session)
      } else if (token === undefined) {
        this.#refuse(
          done,
          550,
          '5.7.1 Only the messages of probes are taken here',
          `other mail from <${from}>`,
          session,
        )
      } else if (token !== this.#message.token) {
        this.leftOvers++
        this.#note(`the message of an earlier probe came out too (token ${token}); it is dropped`)
        done(null, '2.0.0 Ok: taken, though nobody waits for it any more')
      } else {
        done(null, '2.0.0 Ok: this is what was waited for')
        this.#arrived?.({
          time: performance.now(),
          at: hostPort(session.localAddress, session.localPort),
          from: clientOf(session),
          flaw: this.#flaw(from, content),
        })
      }
    })
  }

  #flaw(from: string, content: Buffer): string | undefined {
    if (canonical(from) !== canonical(this.#message.from)) {
      return `its sender is <${printable(from)}> and was <${this.#message.from}>`
    }
    return flawOf(this.#message.content, content)
  }

  #refuse(done: (error: Error) => void, code: number, text: string, what: string, session: SMTPServerSession): void {
    this.lastRefusal = `${printable(what)}, brought by ${clientOf(session)}`
    done(Object.assign(new Error(text), { responseCode: code }))
  }
}

/** What follows the content: refused with the error's code and text, or taken with the text of the 250. */
type Done = (error: Error | null, text?: string) => void

export function hostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

function clientOf(session: SMTPServerSession): string {
  return printable(`${session.hostNameAppearsAs} [${session.remoteAddress}]`)
}

/** The same for two ways to write an address: smtp-server hands out domains in Unicode and literals in short. */
function canonical(address: string): string {
  const at = address.lastIndexOf('@')
  const domain = address.slice(at + 1).toLowerCase()
  const v6 = /^\[ipv6:(.+)\]$/.exec(domain)?.[1] ?? ''
  const host = isIPv6(v6) ? new SocketAddress({ address: v6, family: 'ipv6' }).address : domainToASCII(domain) || domain
  return `${address.slice(0, at)}@${host}`
}
