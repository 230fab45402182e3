// A Posthouse of one process for tests of the remote load: takes mail as the script says, puts a trace header on top and brings it
// to the sink, again if the sink sends it away. What it does with a message can be planted.

import { FakeMx, type FakeMessage, type FakeMxOptions } from '@posthouse/testkit/fake-mx'
import { stuffDots } from '../dot-stuffing.ts'
import { SmtpClient } from '../smtp-client.ts'

/** What is delivered of the nth message (from 1): usually itself. */
export type Plan = (mail: Delivery, turn: number) => readonly Delivery[]

export interface Delivery {
  readonly sender: string
  readonly recipients: readonly string[]
  /** Without the trace header. */
  readonly content: Buffer
}

const TRACE = Buffer.from(
  'Received: from client.example\r\n\tby edge.example with ESMTP id 0123456789ABC;\r\n\tnow\r\n',
)

export class TestEdge implements AsyncDisposable {
  readonly mx: FakeMx
  readonly #plan: Plan
  readonly #running: Promise<void>
  #sink = Promise.withResolvers<number>()
  #ends = false
  #brought = 0

  private constructor(mx: FakeMx, plan: Plan) {
    this.mx = mx
    this.#plan = plan
    this.#running = this.#bring()
  }

  static async start(script: FakeMxOptions = {}, plan: Plan = (mail) => [mail]): Promise<TestEdge> {
    return new TestEdge(await FakeMx.start({ name: 'edge-1.example', ...script }), plan)
  }

  /** From now on mail is brought there. */
  deliversTo(port: number): void {
    this.#sink.resolve(port)
  }

  /** Messages that have been brought. */
  get brought(): number {
    return this.#brought
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ends = true
    this.mx.changed()
    this.#sink.resolve(0)
    await this.#running
    await this.mx.close()
  }

  async #bring(): Promise<void> {
    const port = await this.#sink.promise
    for (let turn = 1; ; turn++) {
      await this.mx.until(({ messages }) => messages.length >= turn || this.#ends)
      const message = this.mx.messages[turn - 1]
      if (message === undefined || this.#ends) return
      for (const delivery of this.#plan(mailOf(message), turn)) await deliver(delivery, port)
      this.#brought = turn
      this.mx.changed()
    }
  }
}

function mailOf({ mail, rcpt, content }: FakeMessage): Delivery {
  return { sender: pathIn(mail), recipients: rcpt.map(pathIn), content }
}

function pathIn(argument: string): string {
  return /<([^>]*)>/.exec(argument)?.[1] ?? argument
}

async function deliver({ sender, recipients, content }: Delivery, port: number): Promise<void> {
  const wire = stuffDots(Buffer.concat([TRACE, content]))
  const client = await SmtpClient.connect({ host: '127.0.0.1', port, tls: 'none' })
  for (let left = recipients; left.length > 0;) {
    const mail = { id: '', sender, recipients: left, digest: '', size: 0, eightBit: true, wire }
    const verdict = await client.send(mail)
    if (verdict.told !== 'accepted' && verdict.told !== 'refused') throw new Error(`the sink: ${verdict.told}`)
    left = verdict.refused.map(({ recipient }) => recipient)
  }
  client.quit()
}
