/**
 * A process that indexes a scripted feed, and says after each batch how many events it has written: for tests that kill it in
 * the middle. Arguments: the file of the index, messages.
 */
import { EventIndex } from '../index/event-index.ts'
import { Projection } from '../index/projection.ts'
import { scriptedFeed } from './scripted-feed.ts'

const [file = '', messages = '0'] = process.argv.slice(2)
const index = new EventIndex({
  file,
  keep: 1e12,
  room: 1e12,
  wall: Date.now,
  onRebuilt: (reason) => process.send?.({ rebuilt: reason }),
})
process.send?.({ cursor: index.cursor, events: index.lastEvent })
const projection = new Projection({
  index,
  feed: scriptedFeed(Number(messages)),
  log: { warn: () => undefined, error: () => process.exit(1) },
  observer: { written: () => void process.send?.({ events: index.lastEvent }), gap: () => undefined },
  signal: new AbortController().signal,
  pause: 1,
})
process.on('disconnect', () => process.exit())
void projection.run()
