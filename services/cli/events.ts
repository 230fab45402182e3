// `posthouse events`: what happens to messages, event by event, from a cursor on; where to go on is the last thing it says.
import { eventTypes, type EventType } from '@posthouse/core/event'
import { decodeCursor, encodeCursor } from '@posthouse/queue/event-cursor'
import type { EventCursor, EventFeed } from '@posthouse/queue/event-feed'
import type { Command, Given } from './command.ts'
import { EventPrinter, type Wanted } from './event-printer.ts'
import { LineOutput } from './line-output.ts'
import { accessNotes, accessOptions, goToQueue, wentWrong } from './queue-access.ts'
import { failed, isFailed, type Failed, type Result } from './status.ts'
import type { QueueAddress, World } from './world.ts'

export const events: Command = {
  name: 'events',
  summary: 'what happens to messages, event by event',
  operands: [],
  options: {
    follow: { help: 'go on as events come, until Ctrl-C' },
    from: { value: 'CURSOR|start|now', help: 'where to begin (default start, or now with --follow)' },
    type: { value: 'TYPE', repeated: true, help: 'only events of this type' },
    message: { value: 'ID', help: 'only events of the message with this queue id' },
    ...accessOptions,
    json: { help: 'each event as one line of JSON, with the cursor to go on from after it' },
  },
  notes: [
    `Types: ${eventTypes.join(', ')}. docs/events.md has the fields, and for how long events are kept.`,
    'In the end, also after Ctrl-C or SIGTERM, the last line on standard error says where to go on: "go on with --from …".',
    'After a cursor some events may come again, with the ids they had; none is left out. What is no longer kept is said on',
    'standard error. Under --json an object with "errors" in place of an event says why it ended.',
    '',
    ...accessNotes,
  ],
  run(given, world) {
    const plan = eventsPlan(given)
    if (isFailed(plan)) return Promise.resolve(plan)
    return goToQueue(given, world, async (address, log) => {
      const feed = await world.openEvents(address, log)
      try {
        return await printEvents(feed, plan, world, address)
      } finally {
        await feed.close()
      }
    })
  },
}

interface Plan extends Wanted {
  readonly follow: boolean
  readonly from: EventCursor | 'now'
}

function eventsPlan(given: Given): Plan | Failed {
  const follow = given.has('follow')
  const types = given.values('type')
  const wrong = types.filter((type) => !isEventType(type))
  if (wrong.length > 0) {
    const known = eventTypes.join(', ')
    return failed('usage', ...wrong.map((type) => `--type: must be one of ${known}, not ${JSON.stringify(type)}`))
  }
  const wanted = { types: types.filter(isEventType), message: given.value('message'), json: given.has('json') }
  const from = beginning(given.value('from') ?? (follow ? 'now' : 'start'))
  if (isFailed(from)) return from
  return { ...wanted, follow, from }
}

function beginning(text: string): Plan['from'] | Failed {
  if (text === 'now') return 'now'
  if (text === 'start') return []
  const read = decodeCursor(text)
  return read.is === 'cursor' ? read.cursor : failed('usage', `--from: ${JSON.stringify(text)} is ${read.why}`)
}

function isEventType(text: string): text is EventType {
  return (eventTypes as readonly string[]).includes(text)
}

async function printEvents(feed: EventFeed, plan: Plan, world: World, address: QueueAddress): Promise<Result> {
  const note = (line: string) => void world.errors.write(`posthouse: ${line}\n`)
  const output = new LineOutput(world.output, world.untilStopped())
  const from = plan.from === 'now' ? await feed.ends() : plan.from
  if (from.length > feed.partitions) {
    const why = `a cursor of ${from.length} partitions, and there are ${feed.partitions}: it is of another queue`
    return failed('failed', `--from: ${encodeCursor(from)} is ${why}`)
  }
  if (plan.from !== 'now') await noteBeyondEnds(feed, from, note)

  const printer = new EventPrinter(from, plan, output, note)
  let trouble: string | undefined
  try {
    const { follow } = plan
    await feed.read(from, { follow, signal: output.ended }, (batch) => printer.print(batch))
  } catch (error) {
    if (!output.ended.aborted) trouble = wentWrong(error, address)
  }
  await output.flushed()
  // Who read it has seen enough (`| head`).
  if (output.gone) return { is: 'streamed' }
  const cursor = encodeCursor(printer.cursor)
  const goOn = `go on with --from ${cursor}`
  if (trouble !== undefined) return { ...failed('unavailable', trouble, goOn), json: { errors: [trouble], cursor } }
  note(goOn)
  return { is: 'streamed' }
}

/** A queue that was made anew, or put back from a backup, begins at lower sequences: nothing would come, and nobody would know why. */
async function noteBeyondEnds(feed: EventFeed, from: EventCursor, note: (line: string) => void): Promise<void> {
  if (from.length === 0) return
  // Only a hint: if nobody answers, reading says so.
  const ends = await feed.ends().catch(() => undefined)
  if (ends === undefined) return
  for (const [partition, sequence] of from.entries()) {
    const end = ends[partition] ?? 0
    if (sequence > end) {
      note(
        `partition ${partition} ends at entry ${end}, before the ${sequence} of --from: is it a cursor of this queue?`,
      )
    }
  }
}
