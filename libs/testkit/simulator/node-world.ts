/** What a delivery node and its seats find in the world around them. */
import type { OwnerOptions } from '@posthouse/core/owner/api'
import type { Rules } from '@posthouse/core/owner/rules'
import type { Auditor } from './auditor.ts'
import type { ByDestination } from './by-destination.ts'
import type { Cluster } from './cluster.ts'
import type { Ledger } from './ledger.ts'
import type { Process } from './process.ts'
import type { Random } from './random.ts'
import type { Sites } from './sites.ts'
import type { Story } from './story.ts'
import type { Timeline } from './timeline.ts'
import type { Caller } from './wire.ts'

export interface NodeWorld {
  readonly timeline: Timeline
  readonly random: Random
  readonly cluster: Cluster
  readonly sites: Sites
  readonly ledger: Ledger
  readonly auditor: Auditor
  readonly story: Story | undefined
  readonly byDestination: ByDestination
  readonly rules: Partial<Rules>
  /** Off: entries name the tasks they close by destination (rule 'tasksByIndex'). */
  readonly tasksByIndex: boolean
  readonly openBytes: number
  readonly memory: NonNullable<OwnerOptions['memory']>
  newId(): string
  /** Place of this node in a partition's order of preference, by what it believes of the others. */
  rankOf(node: Caller, partition: number): number | undefined
  /** Something may befall the process now. */
  step(process: Process): void
}
