/** Questions to the admin nodes and their answers, JSON as requests over core NATS. */
import type { Links } from './links.ts'

const ASK_MS = 5000
/** An admin node may be dead or frozen: then another one may get the question. */
const TRIES = 3

export interface Answering<Q, A> {
  readonly subject: string
  /** Of all that answer under this name one gets each question; absent: all do. */
  readonly queue?: string
  /** Undefined: not a question. */
  readonly read: (json: unknown) => Q | undefined
  /** May reject: then it does not answer, and the asker asks again. */
  readonly answer: (question: Q) => Promise<A>
  readonly write: (answer: A) => string
}

export function answerQuestions<Q, A>(links: Links, answering: Answering<Q, A>): () => void {
  const { subject, queue, read, answer, write } = answering
  return links.subscribe(
    subject,
    (message) => {
      const question = read(parsed(message.string()))
      if (question === undefined) return
      answer(question)
        .then((told) => message.respond(write(told)))
        // Nobody is answered: the asker asks again.
        .catch(() => {})
    },
    queue,
  )
}

/** Rejects with one line if no admin node answers. */
export async function askAdmins<A>(links: Links, subject: string, question: object): Promise<A> {
  const payload = JSON.stringify(question)
  for (let tries = 0; tries < TRIES; tries++) {
    const reply = await links.request(subject, payload, undefined, ASK_MS)
    if (reply.is === 'reply') return JSON.parse(reply.message.string()) as A
    if (reply.is === 'forbidden') throw new Error(`the NATS user may not ask the admin nodes: ${reply.text}`)
    if (reply.is === 'no-responders') break
  }
  throw new Error('no admin node answers: is one running?')
}

/** From 1 to 100; 10 if it is none. */
export function limitOf(value: unknown): number {
  return Math.min(100, Math.max(1, Math.floor(Number(value ?? 10)) || 10))
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
