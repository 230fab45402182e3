// A command line without a process: what it prints is kept, and what it reads is given.
import { Readable, Writable } from 'node:stream'
import type { DeadLettersAnswer, DeadLettersQuestion } from '@posthouse/queue/dead-letter-port'
import type { EventFeed } from '@posthouse/queue/event-feed'
import type { TraceAnswer, TraceQuestion } from '@posthouse/queue/trace-port'
import { run } from '../program.ts'
import type { Input, OpenQueue, World } from '../world.ts'

export interface Said {
  readonly status: number
  readonly output: string
  readonly errors: string
}

export interface FakeWorld {
  readonly environment?: Readonly<Record<string, string>>
  readonly input?: string | Input
  readonly root?: string
  readonly queue?: () => Promise<OpenQueue>
  readonly events?: () => Promise<EventFeed>
  readonly trace?: (question: TraceQuestion) => Promise<TraceAnswer>
  readonly deadLetters?: (question: DeadLettersQuestion) => Promise<DeadLettersAnswer>
  /** Ctrl-C. */
  readonly stop?: AbortSignal
  /** Standard output; what is written to it is not kept then. */
  readonly output?: Writable
  /** Hears complaints and notes as they are written. */
  readonly onErrors?: (text: string) => void
}

export async function posthouse(args: readonly string[], fake: FakeWorld = {}): Promise<Said> {
  const output = new Kept()
  const errors = new Kept(fake.onErrors)
  const input = typeof fake.input === 'object' ? fake.input : Readable.from([Buffer.from(fake.input ?? '')])
  const world: World = {
    environment: fake.environment ?? {},
    input,
    output: fake.output ?? output,
    errors,
    root: fake.root ?? '/nowhere',
    openQueue: fake.queue ?? (() => Promise.reject(new Error('no queue was given'))),
    openEvents: fake.events ?? (() => Promise.reject(new Error('no events were given'))),
    askTrace: (_address, question) =>
      fake.trace?.(question) ?? Promise.reject(new Error('no index of events was given')),
    askDeadLetters: (_address, question) =>
      fake.deadLetters?.(question) ?? Promise.reject(new Error('no webhooks were given')),
    untilStopped: () => fake.stop ?? new AbortController().signal,
  }
  const status = await run(args, world)
  return { status, output: output.text, errors: errors.text }
}

class Kept extends Writable {
  text = ''
  readonly #onText: ((text: string) => void) | undefined

  constructor(onText?: (text: string) => void) {
    super()
    this.#onText = onText
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString()
    this.#onText?.(chunk.toString())
    done()
  }
}
