/** Asks the admin nodes, over connections of its own. */
import type { DeadLettersAnswer, DeadLettersQuestion } from './dead-letter-port.ts'
import { askDeadLetters as deadLetters } from './jetstream/dead-letter-channel.ts'
import type { LookOptions } from './jetstream/jetstream-store.ts'
import { Links } from './jetstream/links.ts'
import { askTrace as trace } from './jetstream/trace-channel.ts'
import type { TraceAnswer, TraceQuestion } from './trace-port.ts'

/** Rejects with one line if NATS cannot be reached or no admin node answers. */
export function askTrace(options: LookOptions, question: TraceQuestion): Promise<TraceAnswer> {
  return over(options, (links) => trace(links, question))
}

/** Rejects with one line if NATS cannot be reached or no admin node answers. */
export function askDeadLetters(options: LookOptions, question: DeadLettersQuestion): Promise<DeadLettersAnswer> {
  return over(options, (links) => deadLetters(links, question))
}

async function over<A>(options: LookOptions, ask: (links: Links) => Promise<A>): Promise<A> {
  const links = await Links.open({ ...options, as: 'cli' })
  try {
    return await ask(links)
  } finally {
    await links.close()
  }
}
