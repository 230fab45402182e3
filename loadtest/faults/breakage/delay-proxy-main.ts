// The process of a delay proxy in a network namespace (delay-proxy-process.ts): options in its argument, orders on its input.

import { createInterface } from 'node:readline'
import type { DelayOrder, Listening } from './delay-proxy-process.ts'
import { startDelayProxy, type DelayProxyOptions } from './delay-proxy.ts'

const proxy = await startDelayProxy(JSON.parse(process.argv[2] ?? '') as DelayProxyOptions)
process.stdout.write(`${JSON.stringify({ port: proxy.port } satisfies Listening)}\n`)
for await (const line of createInterface({ input: process.stdin })) {
  const { upMs, downMs } = JSON.parse(line) as DelayOrder
  proxy.delay(upMs, downMs)
}
await proxy.close()
