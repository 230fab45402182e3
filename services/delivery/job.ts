/** One transaction to be: recipients of one record that share a destination. */
import type { Delivery } from '@posthouse/queue/port'

export interface Job {
  readonly delivery: Delivery
  /** Shared by all jobs of one delivery. */
  readonly start: DeliveryStart
  /** Positions in envelope.recipients. */
  readonly positions: readonly number[]
  readonly destination: string
  /** Since when it waits, monotonic ms. */
  readyAt: number
  /** When its last transaction began. */
  startedAt: number
  /** Transactions begun and given up through no fault of the message (stale connection, fence). */
  restarts: number
}

/** Whether the queue has been told that the attempt begins; once for all jobs of a delivery. */
export class DeliveryStart {
  /** Several jobs share it: none may be closed before it has begun. */
  readonly isShared: boolean
  readonly #delivery: Delivery
  #state: 'waiting' | 'begun' | 'refused' = 'waiting'

  constructor(delivery: Delivery, isShared: boolean) {
    this.#delivery = delivery
    this.isShared = isShared
  }

  get hasBegun(): boolean {
    return this.#state === 'begun'
  }

  /** False: no longer ours, drop the job; the queue gives it anew, to whom it belongs. */
  begin(): boolean {
    if (this.#state === 'waiting') this.#state = this.#delivery.begin() ? 'begun' : 'refused'
    return this.#state === 'begun'
  }
}
