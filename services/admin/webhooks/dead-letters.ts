/** Answers questions for dead letters, on the node that sends to the webhooks: the others keep none. */
import type { AdminPort } from '@posthouse/queue/admin-port'
import type { DeadLettersAnswer, DeadLettersQuestion } from '@posthouse/queue/dead-letter-port'
import type { Log } from '@posthouse/runtime/log'
import type { WebhookState } from './state.ts'

export interface DeadLettersOptions {
  readonly port: Pick<AdminPort, 'answerDeadLetters'>
  readonly state: Pick<WebhookState, 'deadLetters' | 'deadLetterCount'>
  /** Names of those that are configured. */
  readonly webhooks: readonly string[]
  readonly node: string
  readonly isSender: () => boolean
  readonly log: Pick<Log, 'error'>
}

/** Returns how to stop it. */
export function answerDeadLetters(options: DeadLettersOptions): () => void {
  const { port, isSender, log } = options
  return port.answerDeadLetters((question) => {
    if (!isSender()) return Promise.reject(new Error('another node sends'))
    try {
      return Promise.resolve(answerOf(options, question))
    } catch (error) {
      log.error({ err: error }, 'a question for dead letters could not be answered')
      return Promise.reject(error instanceof Error ? error : new Error(String(error)))
    }
  })
}

function answerOf({ state, webhooks, node }: DeadLettersOptions, question: DeadLettersQuestion): DeadLettersAnswer {
  const asked = webhooks.filter((name) => question.webhook === undefined || question.webhook === name)
  return {
    node,
    webhooks: asked.map((webhook) => ({
      webhook,
      count: state.deadLetterCount(webhook),
      letters: state.deadLetters(webhook, question.limit).map(({ event, message, reason, at }) => ({
        event,
        message,
        reason,
        time: new Date(at).toISOString(),
      })),
    })),
  }
}
