/**
 * Answers questions for stories from the index. A node whose index is still being built leaves them to the others, if there are
 * any.
 */
import type { AdminPort } from '@posthouse/queue/admin-port'
import type { TraceAnswer, TraceQuestion } from '@posthouse/queue/trace-port'
import type { Log } from '@posthouse/runtime/log'
import type { Metrics } from '@posthouse/runtime/metrics/registry'
import type { EventIndex } from './index/event-index.ts'
import type { metricsTable } from './metrics.ts'

export interface TracesOptions {
  readonly port: Pick<AdminPort, 'admins' | 'answerTraces'>
  readonly index: EventIndex
  /** As IndexLag.ms. */
  readonly lagMs: () => number | undefined
  readonly node: string
  readonly metrics: Pick<Metrics<typeof metricsTable>, 'traces' | 'traceSeconds'>
  readonly log: Pick<Log, 'error'>
}

export class Traces {
  readonly #options: TracesOptions
  #stop: (() => void) | undefined

  constructor(options: TracesOptions) {
    this.#options = options
  }

  /** Begins or ceases to answer; call it now and then. */
  look(): void {
    const { port, lagMs } = this.#options
    const answers = lagMs() !== undefined || port.admins().length <= 1
    if (answers) this.#stop ??= port.answerTraces((question) => this.#answer(question))
    else this.close()
  }

  close(): void {
    this.#stop?.()
    this.#stop = undefined
  }

  // Async, so that what is thrown is a rejection.
  async #answer(question: TraceQuestion): Promise<TraceAnswer> {
    const { index, metrics, node, lagMs, log } = this.#options
    const begun = performance.now()
    try {
      const { stories, more } = index.find(question)
      metrics.traces.with({ result: stories.length > 0 ? 'found' : 'none' }).inc()
      const lag = lagMs()
      return await Promise.resolve({ stories, more, node, ...(lag !== undefined && { lagMs: lag }) })
    } catch (error) {
      metrics.traces.with({ result: 'failed' }).inc()
      log.error({ err: error }, 'a question for a story could not be answered')
      throw error
    } finally {
      metrics.traceSeconds.observe((performance.now() - begun) / 1000)
    }
  }
}
