/** An edge node in a process of its own, whose queue takes bodies slowly and keeps nothing; tells its memory when asked. */
import { FakeQueue } from './fake-queue.ts'
import { startTestEdge } from './test-edge.ts'

const queue = new FakeQueue()
queue.keepBodies = false
queue.onChunk = () => new Promise((resolve) => setImmediate(resolve))
const edge = await startTestEdge({ queue })

process.on('message', (message) => {
  if (message === 'memory') {
    queue.records.length = 0
    process.send?.({ rss: process.memoryUsage.rss() })
  } else void edge[Symbol.asyncDispose]().then(() => process.exit())
})
process.on('disconnect', () => process.exit())
process.send?.({ port: edge.ports.relay })
