// `posthouse trace QUERY`: the whole story of a message, from the client that sent it to what became of each recipient.
import type { Command } from './command.ts'
import { printable } from './human.ts'
import { limitIn } from './limit.ts'
import { accessNotes, accessOptions, goToQueue } from './queue-access.ts'
import { failed, type Answer, type Failed } from './status.ts'
import { indexText, storiesText } from './trace-text.ts'
import type { TraceAnswer } from '@posthouse/queue/trace-port'

const DEFAULT_LIMIT = 10
const HIGHEST_LIMIT = 100

export const trace: Command = {
  name: 'trace',
  summary: 'the whole story of a message',
  operands: ['QUERY'],
  options: {
    limit: { value: 'N', help: `at most so many messages, the newest (default ${DEFAULT_LIMIT})` },
    ...accessOptions,
  },
  notes: [
    'QUERY is a queue id, a Message-ID, or an address, of the sender or of a recipient. It is answered by an admin node, from its',
    'index of the events; docs/events.md says what they hold.',
    '',
    ...accessNotes,
  ],
  run(given, world) {
    const [query = ''] = given.operands
    const limit = limitIn(given, DEFAULT_LIMIT, HIGHEST_LIMIT)
    if (typeof limit !== 'number') return Promise.resolve(limit)
    if (query.trim() === '') return Promise.resolve(failed('usage', 'trace: QUERY must not be empty'))
    return goToQueue(given, world, async (address, log) =>
      answer(query, limit, await world.askTrace(address, { query: query.trim(), limit }, log)),
    )
  },
}

function answer(query: string, limit: number, found: TraceAnswer): Answer | Failed {
  const { stories, more } = found
  if (stories.length === 0) {
    const why =
      found.lagMs === undefined
        ? `the index of ${found.node} is still being built: ask again later`
        : `it never came, or is older than ${found.node} keeps, or came in the last moment`
    return failed('failed', printable(`${query}: nothing is known of it: ${why}`))
  }
  const canShow = stories.length >= limit && limit < HIGHEST_LIMIT
  const rest = more ? [`the newest ${stories.length}; ${canShow ? '--limit shows more' : 'there are more'}`] : []
  return {
    is: 'answer',
    json: { query, ...found },
    text: [storiesText(stories), '', ...rest, printable(indexText(found))].join('\n'),
  }
}
