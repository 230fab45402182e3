// Asks the NATS servers of a release, each in its own pod.

import type { Kubectl } from './kubectl.ts'
import type { Pod } from './objects.ts'
import type { Jsz } from './streams.ts'

const URL = 'http://127.0.0.1:8222/jsz?accounts=true&streams=true&config=true'
const PATIENCE_MS = 15_000

/** The answers of those that answer. */
export async function askServers(kubectl: Kubectl, pods: readonly Pod[]): Promise<Jsz[]> {
  const answers = await Promise.all(pods.map((pod) => ask(kubectl, pod.metadata.name)))
  return answers.filter((answer) => answer !== undefined)
}

async function ask(kubectl: Kubectl, pod: string): Promise<Jsz | undefined> {
  try {
    const text = await kubectl.exec(pod, 'nats', ['wget', '-q', '-O', '-', URL], { timeoutMs: PATIENCE_MS })
    // The chart names a server after its pod; the server itself tells its name elsewhere.
    return { ...(JSON.parse(text) as Omit<Jsz, 'server'>), server: pod }
  } catch {
    return undefined // it is asked again, or told as the one that does not answer
  }
}
