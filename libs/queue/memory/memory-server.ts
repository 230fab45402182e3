/**
 * A NATS cluster in memory: the partitions' streams and what is only passed on, shared by any number of clients. A test may
 * decide the fate of every single call, and move the clock.
 */
import type { Refusal } from '@posthouse/core/answer'
import type { Heartbeat, OwnerFigures, PartitionUse } from '../store.ts'
import type { Lease } from '@posthouse/core/lease'
import { MemoryStore } from './memory-store.ts'
import { MemoryStream } from './memory-stream.ts'

export type Operation = 'append' | 'chunk' | 'lease' | 'entry' | 'late' | 'accepted' | 'read' | 'scan' | 'remove'

export interface Call {
  readonly client: string
  readonly operation: Operation
  readonly partition: number
  /** Nats-Msg-Id of a publish. */
  readonly id?: string
}

export type Fault =
  | 'none'
  /** It never reaches the servers. */
  | 'lost-request'
  /** It is done, and nobody hears of it. */
  | 'lost-answer'
  | { readonly refuse: Refusal }

export interface MemoryPartition {
  readonly mail: MemoryStream
  readonly log: MemoryStream
  readonly body: MemoryStream
}

export interface MemoryServerOptions {
  readonly partitions?: number
  readonly now?: () => number
  readonly mailBytes?: number
  readonly logBytes?: number
  readonly bodyBytes?: number
}

const MINUTE = 60_000

export class MemoryServer {
  readonly partitions: readonly MemoryPartition[]
  readonly now: () => number
  readonly mailBytes: number
  /** Called for every operation of every client; it may take its time. */
  fault: (call: Call) => Fault | Promise<Fault> = () => 'none'
  /** Partitions whose streams have no leader, as the clients' polls see it. */
  readonly leaderless = new Set<number>()
  /** Clients that are cut off. */
  readonly cut = new Set<string>()
  readonly nudges = new Bus<{ readonly partition: number; readonly seq: number }>()
  readonly abandoned = new Bus<{ readonly partition: number; readonly body: string }>()
  readonly leases = new Bus<{ readonly partition: number; readonly lease: Lease }>()
  readonly heartbeats = new Bus<Heartbeat>()
  readonly uses = new Bus<PartitionUse>()
  readonly figures = new Bus<OwnerFigures>()
  readonly admins = new Bus<{ readonly name: string; readonly words: string | undefined }>()
  /** Something was appended to the log of this partition. */
  readonly logged = new Bus<number>()

  constructor(options: MemoryServerOptions = {}) {
    this.now = options.now ?? Date.now
    this.mailBytes = options.mailBytes ?? 64 * 1024 * 1024
    this.partitions = Array.from({ length: options.partitions ?? 6 }, () => ({
      mail: new MemoryStream(6 * MINUTE, this.mailBytes),
      log: new MemoryStream(10 * MINUTE, options.logBytes ?? 256 * 1024 * 1024),
      body: new MemoryStream(2 * MINUTE, options.bodyBytes ?? 256 * 1024 * 1024),
    }))
  }

  connect(client = 'client'): MemoryStore {
    return new MemoryStore(this, client)
  }

  partition(partition: number): MemoryPartition {
    const found = this.partitions[partition]
    if (found === undefined) throw new RangeError(`there is no partition ${partition}`)
    return found
  }
}

/** Core NATS: everybody who listens now hears it, a turn later. */
export class Bus<T> {
  readonly #listeners = new Set<(value: T) => void>()

  publish(value: T): void {
    for (const listener of this.#listeners) {
      setImmediate(() => {
        if (this.#listeners.has(listener)) listener(value)
      })
    }
  }

  subscribe(listener: (value: T) => void): () => void {
    // Wrapped, as the same function may subscribe twice.
    const one = (value: T) => listener(value)
    this.#listeners.add(one)
    return () => this.#listeners.delete(one)
  }
}
