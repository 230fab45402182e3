// Takes nodes away and gives them back. Whatever it does it can undo, and the undo is registered before it is done.

import { output } from './command.ts'
import type { Kubectl } from './kubectl.ts'
import type { Undo } from './undo.ts'
import { RUN_LABEL } from './values.ts'

export type NodeAction = 'cut' | 'heal' | 'kill' | 'start'

export interface BreakerOptions {
  readonly kubectl: Kubectl
  /** Not stopped by Ctrl-C: what puts back must run then. */
  readonly restoring: Kubectl
  readonly undo: Undo
  /** Undefined: nodes can only be drained. */
  readonly command: string | undefined
  readonly mayDrain: boolean
  readonly run: string
}

const COMMAND_MS = 180_000

export class NodeBreaker {
  readonly #options: BreakerOptions

  constructor(options: BreakerOptions) {
    this.#options = options
  }

  get canBreak(): boolean {
    return this.#options.command !== undefined
  }

  get canDrain(): boolean {
    return this.#options.mayDrain
  }

  /** Resolves with what gives the node back. `how`: unplugged, or as if its power were gone. */
  async take(node: string, how: 'cut' | 'kill'): Promise<() => Promise<void>> {
    const [back, what] = how === 'cut' ? (['heal', 'plugging in'] as const) : (['start', 'starting'] as const)
    const giveBack = this.#options.undo.push(`${what} node ${node}`, () => this.#call(node, back))
    await this.#call(node, how)
    return giveBack
  }

  /** Evicts this run's pods only, as their disruption budgets allow; no new pod of anybody comes until it is given back. */
  async drain(node: string, timeoutMs: number): Promise<() => Promise<void>> {
    const { kubectl, restoring, undo, run } = this.#options
    const giveBack = undo.push(`uncordoning node ${node}`, () => restoring.run(['uncordon', node]))
    const limit = `--timeout=${Math.ceil(timeoutMs / 1000)}s`
    const own = `--pod-selector=${RUN_LABEL}=${run}`
    const args = ['drain', node, own, '--ignore-daemonsets', '--delete-emptydir-data', limit]
    await kubectl.run(args, { timeoutMs: timeoutMs + 10_000 })
    return giveBack
  }

  /** Through a shell, so that the command may have arguments of its own. */
  async #call(node: string, action: NodeAction): Promise<void> {
    const { command } = this.#options
    if (command === undefined) throw new Error('no --node-command')
    await output('sh', ['-c', `${command} "$@"`, 'sh', node, action], { timeoutMs: COMMAND_MS })
  }
}
