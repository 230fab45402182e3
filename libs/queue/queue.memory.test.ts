import { MemoryServer } from './memory/memory-server.ts'
import { queueContract } from './queue.contract.ts'
import { memoryQueue } from './test/memory-queue.ts'

queueContract('memory', async () => memoryQueue(new MemoryServer({ partitions: 2 })))
