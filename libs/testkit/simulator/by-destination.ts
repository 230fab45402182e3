/**
 * How it would be without the rule 'tasksByIndex': an entry says that the recipients of one destination are closed, and who reads
 * it finds out which those are, by what DNS says then.
 */
import type { Closing, EntryHeader } from '@posthouse/core/entry'
import type { Recipient } from '@posthouse/core/record'
import type { Cluster } from './cluster.ts'
import type { Sites } from './sites.ts'

export class ByDestination {
  readonly #cluster: Cluster
  readonly #sites: Sites
  readonly #closed = new WeakMap<Closing, { readonly destination: string; readonly partition: number }>()

  constructor(cluster: Cluster, sites: Sites) {
    this.#cluster = cluster
    this.#sites = sites
  }

  write({ closes }: EntryHeader, partition: number): void {
    for (const closing of closes) {
      const first = this.#recipients(closing, partition)[closing.positions[0]!]!
      if (!this.#closed.has(closing)) {
        this.#closed.set(closing, { destination: this.#sites.destination(first.address), partition })
      }
    }
  }

  read(header: EntryHeader): EntryHeader {
    const closes = header.closes.map((closing) => {
      const { destination, partition } = this.#closed.get(closing)!
      const positions: number[] = []
      for (const [position, { address }] of this.#recipients(closing, partition).entries()) {
        if (this.#sites.destination(address) === destination) positions.push(position)
      }
      return { ...closing, positions }
    })
    return { ...header, closes }
  }

  #recipients({ stream, seq, record }: Closing, partition: number): readonly Recipient[] {
    const { mail, log } = this.#cluster.partitions[partition]!
    return (stream === 'mail' ? mail : log).messages[seq - 1]!.records[record]!.envelope.recipients
  }
}
