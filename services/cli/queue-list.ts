// `posthouse queue list`: what waits, newest first, one line per record.
import type { Command } from './command.ts'
import { printable, shortened } from './human.ts'
import { limitIn } from './limit.ts'
import { askQueue, accessNotes, accessOptions } from './queue-access.ts'
import { nextStep, shown, type ShownItem } from './queue-item.ts'
import type { Answer } from './status.ts'
import { textTable } from './text-table.ts'

const DEFAULT_LIMIT = 50
const HIGHEST_LIMIT = 100_000
const REPLY_LENGTH = 60

export const queueList: Command = {
  name: 'queue list',
  summary: 'what waits, newest first',
  operands: [],
  options: {
    ...accessOptions,
    limit: { value: 'N', help: `at most so many (default ${DEFAULT_LIMIT})` },
  },
  notes: accessNotes,
  async run(given, world) {
    const limit = limitIn(given, DEFAULT_LIMIT, HIGHEST_LIMIT)
    if (typeof limit !== 'number') return limit
    return askQueue(given, world, async (queue) => answer((await queue.list(limit)).map(shown), limit))
  },
}

function answer(items: readonly ShownItem[], limit: number): Answer {
  const now = Date.now()
  const rows = items.map((item) => [
    item.id,
    item.state,
    nextStep(item, now),
    item.attempts,
    `<${printable(item.from)}>`,
    recipientsText(item.recipients),
    shortened(printable(item.lastReply ?? ''), REPLY_LENGTH),
  ])
  const table = textTable(['id', 'state', 'when', 'attempts', 'from', 'to', 'last reply'], rows)
  const more = items.length === limit ? `\nthe first ${limit}; --limit shows more` : ''
  return { is: 'answer', json: { items }, text: items.length === 0 ? 'the queue is empty' : table + more }
}

function recipientsText([first = '', ...others]: readonly string[]): string {
  return `<${printable(first)}>${others.length === 0 ? '' : ` and ${others.length} more`}`
}
