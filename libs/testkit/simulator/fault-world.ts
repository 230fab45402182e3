/** What faults befall. */
import type { Cluster } from './cluster.ts'
import type { DeliveryNode } from './delivery-node.ts'
import type { EdgeNode } from './edge-node.ts'
import type { Profile } from './profile.ts'
import type { Random } from './random.ts'
import type { Sites } from './sites.ts'
import type { Story } from './story.ts'
import type { Timeline } from './timeline.ts'
import type { Wire } from './wire.ts'

export interface FaultWorld {
  readonly timeline: Timeline
  readonly random: Random
  readonly profile: Profile
  readonly cluster: Cluster
  readonly wire: Wire
  readonly sites: Sites
  readonly nodes: readonly DeliveryNode[]
  readonly edges: readonly EdgeNode[]
  readonly story: Story | undefined
  /** Healed: no new faults. */
  isOver: boolean
}

/** A fault lasts as long as the profile says. */
export function lasting({ timeline, random, profile }: FaultWorld, end: () => void): void {
  timeline.after(random.spread(...profile.lasts), end)
}
