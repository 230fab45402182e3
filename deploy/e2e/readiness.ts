// What of a release is not yet as it should be. Pure: objects of the API server in, reasons out.

import { isTrue, type Pod, type Workload } from './objects.ts'

/** A line for each thing that is awaited; empty: all that should run runs, and nothing more. */
export function notReady(workloads: readonly Workload[], pods: readonly Pod[]): string[] {
  return [...workloads.flatMap(ofWorkload), ...pods.flatMap(ofPod)]
}

function ofWorkload({ kind, metadata, spec, status }: Workload): string[] {
  const name = `${(kind ?? 'workload').toLowerCase()} ${metadata.name}`
  const wanted = spec.replicas ?? 1
  if ((status?.observedGeneration ?? 0) < (metadata.generation ?? 0))
    return [`${name}: its change has not been seen yet`]
  const ready = status?.readyReplicas ?? 0
  if (ready !== wanted) return [`${name}: ${ready} of ${wanted} ready`]
  const there = status?.replicas ?? 0
  if (there !== wanted) return [`${name}: ${there} pods, wanted are ${wanted}`]
  // Pods made by kubectl rollout or by an upgrade count once they are of the new revision. A StatefulSet says so only until all are.
  const isRolled = kind !== 'StatefulSet' || status?.currentRevision === status?.updateRevision
  const updated = status?.updatedReplicas ?? (isRolled ? wanted : 0)
  if (updated !== wanted && !(kind === 'StatefulSet' && isRolled)) return [`${name}: ${updated} of ${wanted} updated`]
  return []
}

function ofPod({ metadata, spec, status }: Pod): string[] {
  const name = `pod ${metadata.name}`
  if (metadata.deletionTimestamp !== undefined) return [`${name}: is ending`]
  if (status?.phase === 'Succeeded') return []
  if (isTrue(status?.conditions, 'Ready')) return []
  const scheduled = status?.conditions?.find(({ type }) => type === 'PodScheduled')
  if (scheduled !== undefined && scheduled.status !== 'True') {
    return [`${name}: no node takes it (${scheduled.message ?? scheduled.reason ?? 'no reason given'})`]
  }
  return [`${name}: not ready${spec.nodeName === undefined ? '' : ` on ${spec.nodeName}`}`]
}
