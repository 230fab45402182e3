// `posthouse webhook dead-letters [NAME]`: events that a webhook did not take and is not sent any more.
import type { DeadLettersAnswer } from '@posthouse/queue/dead-letter-port'
import type { Command } from './command.ts'
import { printable } from './human.ts'
import { limitIn } from './limit.ts'
import { accessNotes, accessOptions, goToQueue } from './queue-access.ts'
import { failed, type Answer, type Failed } from './status.ts'
import { textTable } from './text-table.ts'

const DEFAULT_LIMIT = 20
const HIGHEST_LIMIT = 100

export const webhookDeadLetters: Command = {
  name: 'webhook dead-letters',
  summary: 'events that a webhook is not sent any more, and why',
  operands: [],
  options: {
    webhook: { value: 'NAME', help: 'of this webhook only' },
    limit: { value: 'N', help: `of each webhook at most so many, the newest (default ${DEFAULT_LIMIT})` },
    ...accessOptions,
  },
  notes: ['It is answered by the admin node that sends to the webhooks; docs/webhooks.md.', '', ...accessNotes],
  run(given, world) {
    const limit = limitIn(given, DEFAULT_LIMIT, HIGHEST_LIMIT)
    if (typeof limit !== 'number') return Promise.resolve(limit)
    const webhook = given.value('webhook')
    const question = webhook === undefined ? { limit } : { limit, webhook }
    return goToQueue(given, world, async (address, log) =>
      answer(webhook, await world.askDeadLetters(address, question, log)),
    )
  },
}

function answer(webhook: string | undefined, found: DeadLettersAnswer): Answer | Failed {
  if (webhook !== undefined && found.webhooks.length === 0)
    return failed('failed', printable(`--webhook: ${found.node} has no webhook ${webhook}`))
  const shown = found.webhooks.map(({ webhook: name, count, letters }) => {
    const head = `${name}: ${count === 0 ? 'none' : count}`
    if (letters.length === 0) return head
    const rows = letters.map(({ time, message, event, reason }) => [time, message, event, reason])
    return [head, textTable(['given up', 'message', 'event', 'reason'], rows)].join('\n')
  })
  const text = shown.length === 0 ? `${found.node} has no webhooks` : shown.join('\n\n')
  return { is: 'answer', json: found, text: text.split('\n').map(printable).join('\n') }
}
