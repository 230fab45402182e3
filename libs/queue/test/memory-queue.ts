/** A queue in memory for the contracts: any number of edges and delivery nodes on one server. */
import { acceptQueueOn } from '../accept-queue.ts'
import { deliverQueueOn } from '../deliver-queue.ts'
import type { MemoryServer } from '../memory/memory-server.ts'
import type { QueueUnderTest } from '../queue.contract.ts'

export function memoryQueue(server: MemoryServer): QueueUnderTest {
  const closing: (() => Promise<void>)[] = []
  return {
    edge: async () => {
      const edge = acceptQueueOn(server.connect('edge'))
      closing.push(() => edge.close())
      return edge
    },
    node: async (name, options) => {
      const node = deliverQueueOn(server.connect(name), { ...options, name })
      closing.push(() => node.stop(5_000))
      return node
    },
    left: async () => {
      let mail = 0
      let later = 0
      let bodies = 0
      for (const partition of server.partitions) {
        mail += partition.mail.count
        bodies += partition.body.count
        for (const { subject } of partition.log.messages()) if (subject === 'later') later++
      }
      return { mail, later, bodies }
    },
    close: async () => {
      for (const close of closing) await close()
    },
  }
}
