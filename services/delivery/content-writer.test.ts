import assert from 'node:assert/strict'
import { test } from 'node:test'
import { scanContent } from '@posthouse/core/scan'
import { ContentWriter } from './content-writer.ts'
import type { Outgoing } from './outgoing.ts'
import type { SmtpClient } from './smtp-client.ts'
import type { Cut } from './transaction.ts'

/** A connection whose kernel takes at once what the script says. */
function scripted(script: { takes: boolean; encrypted?: boolean; unwritten?: number }) {
  const written: string[] = []
  const client = {
    isEncrypted: script.encrypted ?? false,
    get unwritten() {
      return script.unwritten ?? 0
    },
    now: () => 0,
    phase: () => {},
    write(bytes: Buffer, done: (taken: boolean) => void) {
      written.push(bytes.toString())
      done(true)
    },
    writeAtOnce(bytes: Buffer) {
      written.push(`at once ${bytes.toString()}`)
      return script.takes
    },
  }
  return { client: client as unknown as SmtpClient, written }
}

function outgoing(content: string, more: Partial<Outgoing> = {}): Outgoing {
  const bytes = Buffer.from(content)
  return {
    mail: '<>',
    rcpt: ['<b@example.com>'],
    facts: scanContent(bytes),
    content: bytes,
    body: () => {
      throw new Error('inline')
    },
    mayFinish: () => true,
    isCareful: false,
    ...more,
  }
}

const never = (cut: Cut): void => assert.fail(`cut: ${cut.why}`)

test('a small content goes with its dot in one write', () => {
  const { client, written } = scripted({ takes: true })
  const writer = new ContentWriter(client, outgoing('a\r\n.b\r\n'), never)
  writer.start()
  assert.deepEqual(written, ['at once a\r\n..b\r\n.\r\n'])
  assert.equal(writer.dotIsOut, true)
})

test('if the kernel does not take all of it at once, the dot is not out and the connection is cut', () => {
  const cuts: Cut[] = []
  const { client } = scripted({ takes: false })
  const writer = new ContentWriter(client, outgoing('a\r\n'), (cut) => void cuts.push(cut))
  writer.start()
  assert.deepEqual(cuts, [{ why: 'fenced' }])
  assert.equal(writer.dotIsOut, false)
})

test('the next time, and under TLS, the content goes first and the dot alone', () => {
  for (const [script, more] of [
    [{ takes: true }, { isCareful: true }],
    [{ takes: true, encrypted: true }, {}],
  ] as const) {
    const { client, written } = scripted(script)
    new ContentWriter(client, outgoing('a\r\nb', more), never).start()
    assert.deepEqual(written, ['a\r\nb', 'at once \r\n.\r\n'])
  }
})

test('nothing of a small content is written while its dot may not go, nor the dot while something is unwritten', () => {
  const script = { takes: true, unwritten: 5 }
  const { client, written } = scripted(script)
  let may = false
  const writer = new ContentWriter(client, outgoing('a\r\n', { mayFinish: () => may }), never)
  writer.start()
  writer.tick(1000)
  may = true
  writer.tick(2000)
  assert.deepEqual(written, [])
  script.unwritten = 0
  writer.tick(3000)
  assert.deepEqual(written, ['at once a\r\n.\r\n'])
})

test('a dot is not held for ever', () => {
  const cuts: Cut[] = []
  const { client, written } = scripted({ takes: true })
  const writer = new ContentWriter(client, outgoing('a\r\n', { mayFinish: () => false }), (cut) => void cuts.push(cut))
  writer.start()
  writer.tick(5000)
  assert.deepEqual(cuts, [])
  writer.tick(5001)
  assert.deepEqual(cuts, [{ why: 'fenced' }])
  assert.deepEqual(written, [])
})
