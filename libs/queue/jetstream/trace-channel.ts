/** Questions for stories and their answers, as requests over core NATS: one of the admin nodes gets each. */
import type { TraceAnswer, TraceQuestion } from '../trace-port.ts'
import type { Links } from './links.ts'
import { TRACES } from './subjects.ts'

const QUEUE = 'admins'
/** The servers take 1 MiB. */
const MOST_BYTES = 960 * 1024
const ASK_MS = 5000
/** An admin node may be dead or frozen: then another one may get the question. */
const TRIES = 3

/** `answer` may reject: then nobody answers, and the asker asks again. */
export function answerTraces(links: Links, answer: (question: TraceQuestion) => Promise<TraceAnswer>): () => void {
  return links.subscribe(
    TRACES,
    (message) => {
      const question = readQuestion(message.string())
      if (question === undefined) return
      answer(question).then(
        (told) => message.respond(fitting(told)),
        () => {},
      )
    },
    QUEUE,
  )
}

/** Rejects with one line if no admin node answers. */
export async function askTrace(links: Links, question: TraceQuestion): Promise<TraceAnswer> {
  const payload = JSON.stringify(question)
  for (let tries = 0; tries < TRIES; tries++) {
    const reply = await links.request(TRACES, payload, undefined, ASK_MS)
    if (reply.is === 'reply') return JSON.parse(reply.message.string()) as TraceAnswer
    if (reply.is === 'forbidden') throw new Error(`the NATS user may not ask the admin nodes: ${reply.text}`)
    if (reply.is === 'no-responders') break
  }
  throw new Error('no admin node answers: is one running?')
}

function readQuestion(text: string): TraceQuestion | undefined {
  try {
    const { query, limit } = JSON.parse(text) as Partial<TraceQuestion>
    if (typeof query !== 'string' || query === '') return undefined
    return { query, limit: Math.min(100, Math.max(1, Math.floor(Number(limit ?? 10)) || 10)) }
  } catch {
    return undefined
  }
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
