/** Asks an admin node for stories, over connections of its own. */
import type { LookOptions } from './jetstream/jetstream-store.ts'
import { Links } from './jetstream/links.ts'
import { askTrace as ask } from './jetstream/trace-channel.ts'
import type { TraceAnswer, TraceQuestion } from './trace-port.ts'

/** Rejects with one line if NATS cannot be reached or no admin node answers. */
export async function askTrace(options: LookOptions, question: TraceQuestion): Promise<TraceAnswer> {
  const links = await Links.open({ ...options, as: 'cli' })
  try {
    return await ask(links, question)
  } finally {
    await links.close()
  }
}
