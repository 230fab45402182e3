// How a process stops, in order: say "not ready" and keep serving for a while; close what takes in new work; wait for the
// activities under way; take down the stack, last in, first out. A deadline bounds all of it. The order is the same for a
// signal, for a lost necessity (`fail`) and for a start that failed half-way.
import { Activities } from './activities.ts'

export interface StopLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** In which order they are passed; never back. */
export type Phase = 'starting' | 'running' | 'not ready' | 'closing' | 'finishing' | 'taking down' | 'stopped'

export interface LifecycleOptions {
  readonly log: StopLog
  readonly notReadyFor: number
  readonly deadline: number
  /** Called first when a stop begins, for `/readyz`. */
  readonly onStopping?: (reason: string) => void
}

interface Step {
  readonly name: string
  readonly run: () => unknown
}

export class Lifecycle {
  readonly activities = new Activities()
  #phase: Phase = 'starting'
  readonly #options: LifecycleOptions
  readonly #closers: Step[] = []
  readonly #stack: Step[] = []
  readonly #stopping = new AbortController()
  readonly #done = Promise.withResolvers<number>()
  #status = 0

  constructor(options: LifecycleOptions) {
    this.#options = options
  }

  get phase(): Phase {
    return this.#phase
  }

  /** Aborts when the process begins to close: what loops and waits listens to it. */
  get stopping(): AbortSignal {
    return this.#stopping.signal
  }

  /**
   * Registers how to stop taking in new work (close a listener). Run in parallel, before activities are waited for. A start
   * that is overtaken by a stop may register late: then it runs at once.
   */
  onClose(name: string, run: () => unknown): void {
    const step = { name, run }
    if (this.#stopping.signal.aborted) void this.#run(step)
    else this.#closers.push(step)
  }

  /** Registers how to take down something that was just set up. Run one after the other, in reverse order; late: at once. */
  onStop(name: string, run: () => unknown): void {
    const step = { name, run }
    if (this.#phase === 'stopped') void this.#run(step)
    else this.#stack.push(step)
  }

  /** Resolves with the exit status when everything is down. */
  get done(): Promise<number> {
    return this.#done.promise
  }

  running(): void {
    if (this.#phase === 'starting') this.#phase = 'running'
  }

  /** Stops in good order; further calls change nothing. */
  stop(reason: string): void {
    if (this.#phase === 'starting' || this.#phase === 'running') this.#begin(reason)
  }

  /** Stops because something the process cannot live without is lost; exit status 1. */
  fail(reason: string, error?: unknown): void {
    this.#status ||= 1
    this.#options.log.error({ reason, err: error }, 'cannot go on')
    this.stop(reason)
  }

  /** Takes down what was set up of a start that failed, with this exit status. */
  abandon(status: number, reason: string): void {
    this.#status ||= status
    this.stop(reason)
  }

  #begin(reason: string): void {
    const served = this.#phase === 'running'
    const cutOff = setTimeout(() => {
      const { log, deadline } = this.#options
      log.error({ phase: this.#phase, deadline, underWay: this.activities.counts() }, 'stop cut off by stop.deadline')
      this.#finish(1)
    }, this.#options.deadline)
    this.#takeDown(reason, served).then(
      () => clearTimeout(cutOff),
      (error: unknown) => {
        clearTimeout(cutOff)
        this.#options.log.error({ err: error }, 'stop failed')
        this.#finish(1)
      },
    )
  }

  async #takeDown(reason: string, served: boolean): Promise<void> {
    const { log, notReadyFor, onStopping } = this.#options
    this.#phase = 'not ready'
    if (served) log.info({ reason }, 'stopping')
    onStopping?.(reason)
    if (served && notReadyFor > 0) await new Promise((resolve) => setTimeout(resolve, notReadyFor))
    this.#phase = 'closing'
    this.#stopping.abort(new Error(reason))
    // First no new activities, then the listeners: a session that closes late must not find work to begin.
    this.activities.stop()
    const closed = Promise.all(this.#closers.map((step) => this.#run(step)))
    this.#phase = 'finishing'
    if (this.activities.size > 0) log.info({ underWay: this.activities.counts() }, 'waiting for what is under way')
    await this.activities.idle()
    await closed
    this.#phase = 'taking down'
    for (let step = this.#stack.pop(); step !== undefined; step = this.#stack.pop()) await this.#run(step)
    this.#finish(this.#status)
  }

  // A step that fails does not keep the others from running.
  async #run(step: Step): Promise<void> {
    try {
      await step.run()
    } catch (error) {
      this.#status ||= 1
      this.#options.log.error({ step: step.name, err: error }, 'a step of the stop failed')
    }
  }

  #finish(status: number): void {
    this.#phase = 'stopped'
    this.#done.resolve(status)
  }
}
