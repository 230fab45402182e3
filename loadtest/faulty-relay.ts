// A relay with planted faults, for the test of the ledger: it takes mail, puts a Received field on top and passes it on, but it
// loses, doubles, alters or invents every so many messages, as its arguments say. A process of its own; it prints its port.

import { stdout, argv } from 'node:process'
import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'
import { stuffDots } from './dot-stuffing.ts'
import { SmtpClient } from './smtp-client.ts'

const planted = JSON.parse(argv[2] ?? '{}') as {
  sinkPort: number
  loseAt?: number
  doubleAt?: number
  alterAt?: number
  inventAt?: number
}

let taken = 0

async function pass(content: Buffer, sender: string, recipients: readonly string[]): Promise<void> {
  const traced = Buffer.concat([Buffer.from('Received: from client.example\r\n\tby faulty.example; now\r\n'), content])
  const client = await SmtpClient.connect({ host: '127.0.0.1', port: planted.sinkPort, tls: 'none' })
  await client.send({ id: '', sender, recipients, digest: '', size: 0, eightBit: true, wire: stuffDots(traced) })
  client.quit()
}

async function relay(content: Buffer, sender: string, recipients: readonly string[]): Promise<void> {
  const turn = ++taken
  if (turn === planted.loseAt) return
  if (turn === planted.alterAt) content[content.length - 3] = (content[content.length - 3] ?? 0) ^ 1
  await pass(content, sender, recipients)
  if (turn === planted.doubleAt) await pass(content, sender, recipients)
  if (turn === planted.inventAt) await pass(content, sender, ['nobody@sink.example'])
}

const server = new SMTPServer({
  authOptional: true,
  disabledCommands: ['STARTTLS', 'AUTH'],
  onData(stream, session, callback) {
    const chunks: Buffer[] = []
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('end', () => {
      const sender = session.envelope.mailFrom === false ? '' : session.envelope.mailFrom.address
      const recipients = session.envelope.rcptTo.map((recipient) => recipient.address)
      relay(Buffer.concat(chunks), sender, recipients).then(() => callback(), callback)
    })
  },
})
server.listen(0, '127.0.0.1', () => {
  stdout.write(`${(server.server.address() as AddressInfo).port}\n`)
})
