/**
 * Whether a stream can store anything, from one answer to the question how it is. The answer alone proves little: every member of
 * a group without a leader gives one, which names none, and a leader that has lost its followers goes on calling itself so for
 * 10 to 20 seconds. What it knows is when it last heard of each of them: a follower answers a heartbeat each second.
 */
import type { ReplicaInfo, StreamInfo } from './api.ts'

/** Without a word for so long, a replica is taken for lost: no election ends sooner, and a busy machine may miss some heartbeats. */
const SILENT_AFTER_NS = 5e9

/** A replica of which nothing was heard since the leader was elected has an age of 0, and is not current. */
export function isReachable({ offline, active, current }: ReplicaInfo): boolean {
  if (offline === true) return false
  return active === undefined || active === 0 ? current : active < SILENT_AFTER_NS
}

/** The answer names a leader, and the leader has heard of a majority, itself among them. A single server has no group. */
export function hasQuorum({ cluster }: StreamInfo): boolean {
  if (cluster === undefined) return true
  if (cluster.leader === undefined || cluster.leader === '') return false
  const followers = cluster.replicas ?? []
  const present = 1 + followers.filter(isReachable).length
  return present > (1 + followers.length) / 2
}
