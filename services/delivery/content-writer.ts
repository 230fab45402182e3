/**
 * Writes a content and its final dot. **The fence**: the dot is written only in a turn in which `mayFinish()` is true and
 * everything before it has been taken by the kernel, and only if the kernel takes the dot at once; else the connection
 * is destroyed before the dot is out. So no dot ever leaves after the check that allowed it has become stale.
 *
 * A small content goes with its dot in one write, checked the same way: if the kernel does not take all of it in this
 * turn, the dot (its last bytes) has not left, and the socket is destroyed with what it holds back.
 */
import { DotStuffer } from '@posthouse/core/dot-stuff'
import type { Outgoing } from './outgoing.ts'
import type { SmtpClient } from './smtp-client.ts'
import type { Cut } from './transaction.ts'

/** Contents up to this size go in one write with the dot: a fresh connection's send buffer takes that much. */
const SMALL = 16 * 1024
/** A dot that may not go is held so long (a lease may be renewed meanwhile), then the connection is dropped. */
const HELD_MS = 5000

const DOT = Buffer.from('.\r\n')
const CRLF_DOT = Buffer.from('\r\n.\r\n')

// Written and taken within one turn, so that all connections share it.
const scratch = Buffer.allocUnsafeSlow(SMALL + CRLF_DOT.length)

export class ContentWriter {
  readonly #client: SmtpClient
  readonly #outgoing: Outgoing
  readonly #cut: (cut: Cut) => void
  readonly #dot: Buffer
  #stopped = false
  /** What goes with the dot, when that is held. */
  #small: Buffer | undefined
  #heldSince: number | undefined
  dotIsOut = false

  constructor(client: SmtpClient, outgoing: Outgoing, cut: (cut: Cut) => void) {
    this.#client = client
    this.#outgoing = outgoing
    this.#cut = cut
    this.#dot = outgoing.facts.endsWithCrlf ? DOT : CRLF_DOT
  }

  start(): void {
    const { content, facts } = this.#outgoing
    if (content === undefined) {
      this.#stream().catch((error: unknown) => {
        if (!this.#stopped) this.#cut({ why: 'content', error })
      })
      return
    }
    const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength)
    const lines = facts.dotLines ? new DotStuffer().add(bytes) : bytes
    if (lines.length <= SMALL && !this.#client.isEncrypted && !this.#outgoing.isCareful) {
      this.#small = lines
      this.#finish()
      return
    }
    this.#client.phase('block')
    this.#client.write(lines, (taken) => {
      if (taken) this.#finish()
    })
  }

  /** No more is written. */
  stop(): void {
    this.#stopped = true
    this.#heldSince = undefined
  }

  tick(now: number): void {
    if (this.#heldSince === undefined) return
    if (now - this.#heldSince > HELD_MS) this.#cut({ why: 'fenced' })
    else this.#finish()
  }

  async #stream(): Promise<void> {
    const stuffer = this.#outgoing.facts.dotLines ? new DotStuffer() : undefined
    for await (const chunk of this.#outgoing.body()) {
      if (this.#stopped) return
      const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
      this.#client.phase('block')
      const lines = stuffer?.add(bytes) ?? bytes
      const taken = await new Promise<boolean>((resolve) => this.#client.write(lines, resolve))
      // Leaving the loop ends the reading, too.
      if (!taken || this.#stopped) return
    }
    this.#finish()
  }

  #finish(): void {
    if (this.#stopped) return
    const client = this.#client
    if (client.unwritten > 0 || !this.#outgoing.mayFinish()) {
      this.#heldSince ??= client.now()
      return
    }
    this.#heldSince = undefined
    client.phase('final')
    // From here on it counts as out, also for what the write itself may call back.
    this.dotIsOut = true
    if (!client.writeAtOnce(this.#withDot())) {
      this.dotIsOut = false
      this.#cut({ why: 'fenced' })
    }
  }

  #withDot(): Buffer {
    const small = this.#small
    if (small === undefined) return this.#dot
    const end = small.copy(scratch)
    return scratch.subarray(0, end + this.#dot.copy(scratch, end))
  }
}
