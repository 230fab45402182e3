// Takes any mail on loopback and answers 250 once it is in the store.

import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'
import type { MessageStore } from './message-store.ts'

export interface SmtpSink {
  readonly port: number
  close(): Promise<void>
}

export async function startSmtpSink(store: MessageStore, host: string, port: number): Promise<SmtpSink> {
  const server = new SMTPServer({
    name: 'mailbox.posthouse.example',
    banner: 'Posthouse mailbox',
    disabledCommands: ['AUTH', 'STARTTLS'],
    authOptional: true,
    disableReverseLookup: true,
    closeTimeout: 1000,
    logger: false,
    onData(stream, session, done) {
      const { mailFrom, rcptTo } = session.envelope
      const envelope = {
        from: mailFrom === false ? '' : mailFrom.address,
        to: rcptTo.map(({ address }) => address),
        time: new Date().toISOString(),
        client: session.hostNameAppearsAs || session.clientHostname,
      }
      store.add(envelope, stream).then(
        ({ id }) => (done as (error: null, reply: string) => void)(null, `kept as ${id}`),
        (error: Error) => done(error),
      )
    },
  })
  server.on('error', () => {}) // a client that broke off; there is nothing to do about it
  await new Promise<void>((resolve, reject) => {
    server.server.once('error', reject)
    server.listen(port, host, resolve)
  })
  return {
    port: (server.server.address() as AddressInfo).port,
    close: () => new Promise((resolve) => server.close(resolve)),
  }
}
