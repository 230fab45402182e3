// Postfix's smtp-sink as the far end of a benchmark: it throws mail away in C and counts what it took. The running counter
// goes to a file, so that nobody is woken for each message; whoever waits looks at the file's end.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { join } from 'node:path'
import { connect } from 'node:net'
import { freePort } from '@posthouse/testkit/free-port'
import type { Child } from '@posthouse/testkit/child-process'
import { startGuarded } from './guarded.ts'

const MOST_CONNECTIONS = 1000
const TAIL = 128

export class SmtpSink implements AsyncDisposable {
  readonly host = '127.0.0.1'
  readonly port: number
  readonly #child: Child
  readonly #counter: number
  readonly #tail = Buffer.alloc(TAIL)

  private constructor(port: number, child: Child, counter: number) {
    this.port = port
    this.#child = child
    this.#counter = counter
  }

  static async start(folder: string, name: string): Promise<SmtpSink> {
    const port = await freePort()
    const output = join(folder, `smtp-sink-${name}.counter`)
    const asUser = process.getuid?.() === 0 ? ['-u', 'nobody'] : []
    const args = [...asUser, '-c', '-m', String(MOST_CONNECTIONS), `127.0.0.1:${port}`, String(MOST_CONNECTIONS)]
    const child = await startGuarded('smtp-sink', args, output)
    await listening(port, child)
    return new SmtpSink(port, child, openSync(output, 'r'))
  }

  get pid(): number {
    return this.#child.pid
  }

  /** Messages taken since the start. */
  taken(): number {
    const { size } = fstatSync(this.#counter)
    const length = Math.min(size, TAIL)
    readSync(this.#counter, this.#tail, 0, length, size - length)
    return lastCount(this.#tail.toString('latin1', 0, length))
  }

  /** Waits until so many have been taken; answers with when that was (milliseconds since 1970). */
  async reached(count: number, timeoutMs: number, pollMs = 5): Promise<number> {
    const deadline = performance.now() + timeoutMs
    while (this.taken() < count) {
      if (performance.now() > deadline) throw new Error(`only ${this.taken()} of ${count} messages reached the sink`)
      await sleep(pollMs)
    }
    // The file was last written when the last of them was counted, or a session ended since this loop looked before.
    return Math.min(fstatSync(this.#counter).mtimeMs, performance.timeOrigin + performance.now())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    closeSync(this.#counter)
    await this.#child.stop(2000)
  }
}

/** The last whole counter in what smtp-sink printed: `sess=1 quit=1 mesg=97`, each ended by a carriage return. */
export function lastCount(text: string): number {
  const end = text.lastIndexOf('\r')
  const start = text.lastIndexOf('mesg=', end)
  return end < 0 || start < 0 ? 0 : Number(text.slice(start + 5, end))
}

/** Waits until somebody listens there. */
export async function listening(port: number, child: Child, timeoutMs = 30_000): Promise<void> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    if (await canConnect(port)) return
    if (!child.running) throw new Error(`it ended before it listened on port ${port}`)
    if (performance.now() > deadline) throw new Error(`nobody listens on port ${port}`)
    await sleep(50)
  }
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.on('error', () => resolve(false))
    socket.on('connect', () => {
      socket.end('QUIT\r\n')
      resolve(true)
    })
  })
}
