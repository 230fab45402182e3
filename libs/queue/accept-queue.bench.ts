/**
 * What the accept path costs: CPU microseconds per 4 KiB record of this process and of the three NATS servers, with a fixed
 * number of records outstanding (a client each, that sends its next record when the last has its fate).
 * `node libs/queue/accept-queue.bench.ts [records] [outstanding,…] [bytes]`; nothing else should run meanwhile.
 */
import { readFileSync } from 'node:fs'
import { NatsCluster } from '@posthouse/testkit/nats-cluster'
import type { MailRecord } from '@posthouse/core/record'
import { connectAcceptQueue, type AcceptQueue } from './accept-queue.ts'
import { makeStreams } from './jetstream/jetstream-store.ts'
import { SILENT } from './log.ts'

const [records = '20000', outstanding = '20,200', bytes = '4096'] = process.argv.slice(2)
const CONTENT = Buffer.alloc(Number(bytes), 'The quick brown fox jumps over the lazy dog.\r\n')

let made = 0
function record(): MailRecord {
  const id = (++made).toString(36).padStart(12, '0')
  return {
    envelope: {
      id,
      from: 'sender@example.org',
      recipients: [{ address: `recipient-${id}@example.net`, index: 0 }],
      acceptedAt: 1_790_000_000_000,
      storedAt: 0,
      origin: 0,
      attempts: { count: 0 },
      facts: {
        size: CONTENT.length,
        eightBit: false,
        eightBitHeader: false,
        dotLines: false,
        longestLine: 46,
        endsWithCrlf: true,
      },
      accepted: { node: 'edge-1', client: '192.0.2.1', role: 'relay', messageId: `<${id}@example.org>` },
    },
    content: CONTENT,
  }
}

/** CPU time of another process in microseconds, from /proc. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * 10_000
}

interface Run {
  readonly stored: number
  readonly ms: number
  readonly latencies: number[]
}

function load(queue: AcceptQueue, total: number, clients: number): Promise<Run> {
  const started = performance.now()
  const latencies: number[] = []
  let given = 0
  let ended = 0
  let stored = 0
  return new Promise((resolve) => {
    const next = () => {
      if (given === total) return
      given++
      const at = performance.now()
      queue.accept(record(), (fate) => {
        latencies.push(performance.now() - at)
        if (fate.is === 'stored') stored++
        if (++ended === total) resolve({ stored, ms: performance.now() - started, latencies })
        // A client that speaks SMTP is not back in the same turn.
        else setImmediate(next)
      })
    }
    for (let client = 0; client < clients; client++) next()
  })
}

const at = (sorted: readonly number[], part: number) => (sorted[Math.floor(sorted.length * part)] ?? 0).toFixed(1)

const cluster = await NatsCluster.start()
const pids = cluster.pids.filter((pid) => pid !== undefined)
let batches = 0
const options = {
  servers: cluster.servers,
  user: cluster.user,
  password: cluster.password,
  name: 'bench',
  partitions: 6,
  replicas: 3,
  log: SILENT,
}
await makeStreams(options)
const queue = await connectAcceptQueue({
  ...options,
  observer: { batchStored: () => batches++ },
})
try {
  await load(queue, 5000, 50)
  for (const clients of outstanding.split(',').map(Number)) {
    batches = 0
    const natsBefore = pids.map(cpuOf)
    const before = process.cpuUsage()
    const { stored, ms, latencies } = await load(queue, Number(records), clients)
    const { user, system } = process.cpuUsage(before)
    const nats = pids.map(cpuOf).reduce((sum, cpu, n) => sum + cpu - (natsBefore[n] ?? 0), 0)
    latencies.sort((a, b) => a - b)
    const line = {
      outstanding: clients,
      stored,
      perSecond: Math.round((stored / ms) * 1000),
      recordsPerBatch: +(stored / batches).toFixed(1),
      edgeCpuUs: +((user + system) / stored).toFixed(1),
      natsCpuUs: +(nats / stored).toFixed(1),
      p50Ms: +at(latencies, 0.5),
      p99Ms: +at(latencies, 0.99),
    }
    console.log(JSON.stringify(line))
  }
} finally {
  await queue.close()
  await cluster.stop()
}
