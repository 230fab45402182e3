/** Questions for stories: one of the admin nodes gets each. */
import type { TraceAnswer, TraceQuestion } from '../trace-port.ts'
import type { Links } from './links.ts'
import { answerQuestions, askAdmins, limitOf } from './questions.ts'
import { TRACES } from './subjects.ts'

/** The servers take 1 MiB. */
const MOST_BYTES = 960 * 1024

export function answerTraces(links: Links, answer: (question: TraceQuestion) => Promise<TraceAnswer>): () => void {
  return answerQuestions(links, { subject: TRACES, queue: 'admins', read: readQuestion, answer, write: fitting })
}

/** Rejects with one line if no admin node answers. */
export function askTrace(links: Links, question: TraceQuestion): Promise<TraceAnswer> {
  return askAdmins(links, TRACES, question)
}

function readQuestion(json: unknown): TraceQuestion | undefined {
  const { query, limit } = (json ?? {}) as Partial<TraceQuestion>
  return typeof query === 'string' && query !== '' ? { query, limit: limitOf(limit) } : undefined
}

/** What is too long loses its oldest stories, and a single one its oldest events. */
function fitting(answer: TraceAnswer): string {
  let { stories, more } = answer
  for (;;) {
    const text = JSON.stringify({ ...answer, stories, more })
    if (Buffer.byteLength(text) <= MOST_BYTES) return text
    const [only] = stories
    if (stories.length > 1) {
      stories = stories.slice(0, Math.ceil(stories.length / 2))
      more = true
    } else if (only !== undefined && only.events.length > 1) {
      const kept = only.events.slice(Math.ceil(only.events.length / 2))
      stories = [{ ...only, events: kept, left: (only.left ?? 0) + only.events.length - kept.length }]
    } else stories = []
  }
}
