// `posthouse queue count`: how much waits, in all and by partition.
import type { QueueCount } from '@posthouse/queue/port'
import type { Command } from './command.ts'
import { humanBytes, humanDuration } from './human.ts'
import { askQueue, accessNotes, accessOptions } from './queue-access.ts'
import type { Answer } from './status.ts'
import { textTable } from './text-table.ts'

export const queueCount: Command = {
  name: 'queue count',
  summary: 'how many recipients wait, and where',
  operands: [],
  options: accessOptions,
  notes: accessNotes,
  run: (given, world) => askQueue(given, world, async (queue) => answer(await queue.count())),
}

function answer(counted: QueueCount): Answer {
  const { ready, later, oldestAgeMs, bytes, partitions } = counted
  const count = ready + later
  const rows = partitions.map((one) => [
    one.partition,
    one.owner ?? 'none',
    one.ready,
    one.later,
    humanBytes(one.bytes),
  ])
  const oldest = count === 0 ? '' : `, the oldest for ${humanDuration(oldestAgeMs)}`
  return {
    is: 'answer',
    json: { count, ...counted },
    text: [
      `${count} ${count === 1 ? 'recipient waits' : 'recipients wait'}${oldest}; ${humanBytes(bytes)}`,
      `${ready} for a first attempt or under way, ${later} for another one`,
      '',
      textTable(['partition', 'owner', 'ready', 'later', 'size'], rows),
    ].join('\n'),
  }
}
