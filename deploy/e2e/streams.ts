// What the NATS servers say of the streams (their /jsz, with streams, configuration and raft groups), read together. Pure.

export interface Jsz {
  /** Name of the server that answered. */
  readonly server: string
  readonly account_details?: readonly {
    readonly stream_detail?: readonly StreamDetail[]
  }[]
}

interface StreamDetail {
  readonly name: string
  readonly cluster?: {
    readonly leader?: string
    readonly replicas?: readonly { readonly name: string; readonly current?: boolean; readonly offline?: boolean }[]
  }
  readonly config?: { readonly num_replicas?: number }
}

/** By the name of each stream, what its own leader says; a server that does not lead it may not know. */
function ledStreams(answers: readonly Jsz[]): Map<string, { leader: string; stream: StreamDetail }> {
  const led = new Map<string, { leader: string; stream: StreamDetail }>()
  for (const { server, account_details } of answers) {
    for (const stream of (account_details ?? []).flatMap((account) => account.stream_detail ?? [])) {
      if (stream.cluster?.leader === server) {
        led.set(stream.name, { leader: server, stream })
      }
    }
  }
  return led
}

export interface Expected {
  readonly servers: number
  /** Three for each partition. */
  readonly streams: number
  readonly replicas: number
}

/**
 * A line for each thing that is awaited; empty: every stream has a leader, and all of its copies are current, or were at an earlier look:
 * `seen` has the names of those streams, and gets more.
 */
export function notCurrent(answers: readonly Jsz[], expected: Expected, seen = new Set<string>()): string[] {
  const silent = expected.servers - answers.length
  if (silent > 0) return [`${silent} of ${expected.servers} NATS servers do not answer`]
  const led = ledStreams(answers)
  const known = new Set(answers.flatMap(namesOf))
  const awaited: string[] = []
  for (const name of known) if (!led.has(name)) awaited.push(`stream ${name}: no leader`)
  if (known.size < expected.streams) awaited.push(`${known.size} of ${expected.streams} streams`)
  for (const [name, { stream }] of led) {
    const others = stream.cluster?.replicas ?? []
    const current = 1 + others.filter((peer) => peer.current === true && peer.offline !== true).length
    const wanted = Math.max(stream.config?.num_replicas ?? 1, expected.replicas)
    if (current >= wanted) seen.add(name)
    else if (!seen.has(name)) awaited.push(`stream ${name}: ${current} of ${wanted} copies current`)
  }
  return awaited
}

function namesOf({ account_details }: Jsz): string[] {
  return (account_details ?? []).flatMap(({ stream_detail }) => (stream_detail ?? []).map(({ name }) => name))
}

/** How many streams each server leads, most first; equal ones by name. */
export function leaders(answers: readonly Jsz[]): readonly (readonly [server: string, streams: number])[] {
  const counts = new Map<string, number>()
  for (const { leader } of ledStreams(answers).values()) counts.set(leader, (counts.get(leader) ?? 0) + 1)
  return [...counts].toSorted(([a, left], [b, right]) => right - left || (a < b ? -1 : 1))
}
