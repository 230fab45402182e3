/**
 * The fate of one batch, from the answers to its tries. Every try carries the same bytes, id and partition, so one
 * PubAck settles all of them; a refusal speaks only for its own try. It promises never to say more than is known:
 * `stored` needs a PubAck, `refused` needs a refusal of every try made so far. Pure: no clock, no chance.
 */
import type { PublishAnswer, Refusal } from './answer.ts'

export type BatchFate =
  | { readonly is: 'stored'; readonly seq: number; readonly duplicate: boolean }
  /** Surely not stored: every try made so far was refused. `why` is the last refusal. */
  | { readonly is: 'refused'; readonly why: Refusal; readonly text?: string }
  /** Some try is still out, was lost, or met another one in flight. */
  | { readonly is: 'open' }

const OPEN: BatchFate = { is: 'open' }

type TryState = 'out' | 'lost' | 'refused'

export class Fate {
  readonly #tries: TryState[] = []
  #refused = 0
  /** A 10158 says that a try lives somewhere; it never counts as a refusal, so only a PubAck can settle the batch. */
  #seenInFlight = false
  #stored: BatchFate | undefined
  #lastRefusal: BatchFate = OPEN

  get tries(): number {
    return this.#tries.length
  }

  /** Tries that nobody has said anything about yet. */
  get out(): number {
    let out = 0
    for (const state of this.#tries) if (state === 'out') out++
    return out
  }

  /** Begins a try; its number goes with the publish and comes back with the answer. */
  begin(): number {
    return this.#tries.push('out') - 1
  }

  /** Takes the answer to one try. Late ones count too: a try given up as unanswered may be refused or stored later. */
  answer(number: number, answer: PublishAnswer): void {
    const before = this.#tries[number]
    if (before === undefined) throw new RangeError(`try ${number} was never begun`)
    if (this.#stored !== undefined || before === 'refused') return
    switch (answer.is) {
      case 'stored':
        this.#stored = answer
        return
      case 'unanswered':
        this.#tries[number] = 'lost'
        return
      case 'refused':
        if (answer.why === 'in-flight') {
          this.#seenInFlight = true
          this.#tries[number] = 'lost'
          return
        }
        this.#tries[number] = 'refused'
        this.#refused++
        this.#lastRefusal = answer
    }
  }

  get now(): BatchFate {
    if (this.#stored !== undefined) return this.#stored
    if (this.#seenInFlight || this.#refused < this.#tries.length) return OPEN
    return this.#lastRefusal
  }
}
