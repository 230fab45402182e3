// A delay proxy inside a network namespace: a process of its own, told what to do by lines on its standard input. It ends
// with that, so it never outlives who started it.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { tethered } from '@posthouse/testkit/child-process'
import type { DelayProxy, DelayProxyOptions } from './delay-proxy.ts'

const MAIN = fileURLToPath(new URL('./delay-proxy-main.ts', import.meta.url))

/** A line to the process. */
export interface DelayOrder {
  readonly upMs: number
  readonly downMs: number
}

/** The first line of its answer. */
export interface Listening {
  readonly port: number
}

export async function startDelayProxyIn(
  namespace: string,
  options: Omit<DelayProxyOptions, 'namespace'>,
): Promise<DelayProxy> {
  const { host, port, to } = options
  const args = ['netns', 'exec', namespace, process.execPath, MAIN, JSON.stringify({ host, port, to })]
  const child = spawn(...tethered('ip', args, 'SIGKILL'), { stdio: ['pipe', 'pipe', 'inherit'], detached: true })
  const exited = once(child, 'exit')
  child.stdin.on('error', () => {}) // it has ended; who uses the line will notice
  const [answer] = await Promise.race([once(child.stdout, 'data'), exited.then(() => [''])])
  if (answer.length === 0) throw new Error(`the proxy of ${host}:${port} in ${namespace} has not started`)
  const listening = JSON.parse(String(answer)) as Listening
  return {
    port: listening.port,
    delay(upMs, downMs) {
      child.stdin.write(`${JSON.stringify({ upMs, downMs } satisfies DelayOrder)}\n`)
    },
    async close() {
      child.stdin.end()
      await exited
    },
  }
}
