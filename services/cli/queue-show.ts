// `posthouse queue show ID`: all that still waits of one message; its recipients may wait in several places.
import type { Command } from './command.ts'
import { askQueue, accessNotes, accessOptions } from './queue-access.ts'
import { itemText, shown } from './queue-item.ts'
import { failed } from './status.ts'

export const queueShow: Command = {
  name: 'queue show',
  summary: 'all that waits of one message',
  operands: ['ID'],
  options: accessOptions,
  notes: ['ID is the queue id that the 250 reply named.', '', ...accessNotes],
  run: (given, world) =>
    askQueue(given, world, async (queue) => {
      const [id = ''] = given.operands
      const items = (await queue.show(id)).map(shown)
      if (items.length === 0) {
        return failed('failed', `${id}: nothing of it is in the queue: every recipient has its end, or it never came`)
      }
      const now = Date.now()
      return { is: 'answer', json: { items }, text: items.map((item) => itemText(item, now)).join('\n\n') }
    }),
}
