/**
 * What the servers' answers say of the queue's streams and of the servers themselves, put together. Pure: the answers are
 * arguments.
 */
import type { ClusterView, ServerView, StreamView } from '../admin-port.ts'
import type { AccountInfo, ReplicaInfo, StreamInfo } from './api.ts'
import { hasQuorum, isReachable } from './quorum.ts'

/** A replica that lacks no more than so many operations is in step: under load each is some behind at any moment. */
export const IN_STEP = 256

export interface StreamSeen {
  readonly name: string
  readonly kind: StreamView['kind']
  readonly partition: number
  /** The latest answer; undefined: there was never one. */
  readonly info: StreamInfo | undefined
  /** The latest questions were answered. */
  readonly answers: boolean
}

export interface ClusterSeen {
  readonly ago: number
  readonly streams: readonly StreamSeen[]
  readonly account: AccountInfo | undefined
  /** Names of the servers to which this process is connected. */
  readonly connected: readonly string[]
  readonly disconnected: string | undefined
}

export function clusterView(seen: ClusterSeen): ClusterView {
  const limit = seen.account?.limits.max_storage ?? 0
  const streams = seen.streams.map(streamView)
  return {
    ago: seen.ago,
    servers: serverViews(seen, streams),
    streams,
    storage: { used: seen.account?.storage ?? 0, limit: limit > 0 ? limit : undefined },
    disconnected: seen.disconnected,
  }
}

function streamView({ name, kind, partition, info, answers }: StreamSeen): StreamView {
  const leader = answers && info !== undefined && hasQuorum(info) ? info.cluster?.leader : undefined
  const replicas = info?.config.num_replicas ?? 0
  const followers = info?.cluster?.replicas ?? []
  return {
    name,
    kind,
    partition,
    leader,
    replicas,
    // Of replicas without a leader none is known to follow.
    behind: leader === undefined ? Math.max(0, replicas - 1) : followers.filter(isBehind).length,
    lag: leader === undefined ? 0 : Math.max(0, ...followers.map(({ lag }) => lag ?? 0)),
    messages: info?.state.messages ?? 0,
    bytes: info?.state.bytes ?? 0,
    maxBytes: info?.config.max_bytes ?? 0,
    firstSeq: info?.state.first_seq ?? 0,
    lastSeq: info?.state.last_seq ?? 0,
  }
}

const isBehind = (replica: ReplicaInfo) => !isReachable(replica) || (replica.lag ?? 0) > IN_STEP

function serverViews({ streams: seen, connected }: ClusterSeen, streams: readonly StreamView[]): ServerView[] {
  const known = new Set(connected)
  const online = new Set(connected)
  for (const { info, answers } of seen) {
    const { leader, replicas = [] } = info?.cluster ?? {}
    for (const { name } of replicas) known.add(name)
    if (leader === undefined || leader === '') continue
    known.add(leader)
    if (!answers) continue
    // A leader without a quorum is there all the same, and so are those it heard of just now.
    online.add(leader)
    for (const replica of replicas) if (isReachable(replica)) online.add(replica.name)
  }
  return [...known].sort().map((name) => ({
    name,
    online: online.has(name),
    leads: streams.filter(({ leader }) => leader === name).length,
  }))
}
