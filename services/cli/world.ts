// What a command has of the outside, as values: tests give others.
import type { Readable, Writable } from 'node:stream'
import type { DeadLettersAnswer, DeadLettersQuestion } from '@posthouse/queue/dead-letter-port'
import type { EventFeed } from '@posthouse/queue/event-feed'
import type { QueueLog } from '@posthouse/queue/log'
import type { QueueView } from '@posthouse/queue/port'
import type { TraceAnswer, TraceQuestion } from '@posthouse/queue/trace-port'
import type { NatsTls } from '@posthouse/runtime/settings/queue-options'

export interface World {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly input: Input
  readonly output: Writable
  /** Prompts and complaints. */
  readonly errors: Writable
  /** Folder of this checkout or image. */
  readonly root: string
  /** Rejects with one line if the queue cannot be reached. */
  openQueue(address: QueueAddress, log: QueueLog): Promise<OpenQueue>
  /** Likewise. */
  openEvents(address: QueueAddress, log: QueueLog): Promise<EventFeed>
  /** Rejects with one line if the queue cannot be reached, or no admin node answers. */
  askTrace(address: QueueAddress, question: TraceQuestion, log: QueueLog): Promise<TraceAnswer>
  /** Likewise. */
  askDeadLetters(address: QueueAddress, question: DeadLettersQuestion, log: QueueLog): Promise<DeadLettersAnswer>
  /** From now on the first Ctrl-C or SIGTERM aborts this in place of ending the process. */
  untilStopped(): AbortSignal
}

/** Standard input; a terminal can be told not to show what is typed. */
export interface Input extends Readable {
  readonly isTTY?: boolean
  setRawMode?(raw: boolean): unknown
}

export type OpenQueue = QueueView & { close(): Promise<void> }

/** How to reach the queue, and who said so, for complaints. */
export interface QueueAddress {
  readonly name: string
  readonly servers: readonly string[]
  readonly user?: string
  readonly password?: string
  readonly tls?: NatsTls
  readonly from: string
}
