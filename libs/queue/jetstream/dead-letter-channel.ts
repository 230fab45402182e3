/** Questions for dead letters: every admin node hears them, and the one that sends to webhooks answers. */
import type { DeadLettersAnswer, DeadLettersQuestion } from '../dead-letter-port.ts'
import type { Links } from './links.ts'
import { answerQuestions, askAdmins, limitOf } from './questions.ts'
import { DEAD_LETTERS } from './subjects.ts'

export function answerDeadLetters(
  links: Links,
  answer: (question: DeadLettersQuestion) => Promise<DeadLettersAnswer>,
): () => void {
  return answerQuestions(links, { subject: DEAD_LETTERS, read: readQuestion, answer, write: JSON.stringify })
}

/** Rejects with one line if no admin node answers. */
export function askDeadLetters(links: Links, question: DeadLettersQuestion): Promise<DeadLettersAnswer> {
  return askAdmins(links, DEAD_LETTERS, question)
}

function readQuestion(json: unknown): DeadLettersQuestion | undefined {
  if (typeof json !== 'object' || json === null) return undefined
  const { webhook, limit } = json as Partial<DeadLettersQuestion>
  return { limit: limitOf(limit), ...(typeof webhook === 'string' ? { webhook } : {}) }
}
