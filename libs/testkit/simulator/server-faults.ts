/** What can befall the servers: their leaders, their clocks, their room. */
import { lasting, type FaultWorld } from './fault-world.ts'
import type { Stream } from './stream.ts'

export class ServerFaults {
  readonly #world: FaultWorld
  readonly #serverClocks: readonly number[]

  constructor(world: FaultWorld) {
    this.#world = world
    const { profile, random } = world
    this.#serverClocks = [0, 1, 2].map(() => random.between(-profile.serverClock, profile.serverClock))
  }

  leaderChange(): void {
    const { random, cluster, story } = this.#world
    for (const stream of this.together(random.pick(cluster.streams))) {
      story?.tell(stream.name, 'has a new leader')
      stream.changeLeader(this.serverClock(), random.chance(0.3))
    }
  }

  leaderless(streams: readonly Stream[], how: 'leaderless' | 'silent', ms: number): void {
    const { timeline, story, random } = this.#world
    for (const stream of streams) {
      story?.tell(stream.name, `is ${how}`)
      stream.lead(how)
    }
    timeline.after(ms, () => {
      for (const stream of streams) {
        if (stream.leader === 'up') continue
        story?.tell(stream.name, 'has a leader')
        stream.changeLeader(this.serverClock(), random.chance(0.3))
        stream.lead('up')
      }
    })
  }

  fill(stream: Stream, full: Stream['full']): void {
    this.#world.story?.tell(stream.name, `is full (${full})`)
    stream.full = full
    lasting(this.#world, () => (stream.full = 'no'))
  }

  /** Streams with the same leader: one, or a good part of all. */
  together(stream: Stream): readonly Stream[] {
    const { random, cluster } = this.#world
    return random.chance(0.5) ? [stream] : cluster.streams.filter(() => random.chance(0.5))
  }

  serverClock(): number {
    return this.#world.random.pick(this.#serverClocks)
  }

  /** A second leader that does not know better. */
  staleLeader(stream: Stream): void {
    const { timeline, random, story } = this.#world
    story?.tell(stream.name, 'has a second leader that is out of date')
    stream.changeLeader(this.serverClock(), false)
    stream.staleSince = timeline.now
    timeline.after(random.spread(300, 12_000), () => (stream.staleSince = undefined))
  }

  restartAll(): void {
    const { cluster, random, story } = this.#world
    story?.tell('world', 'all servers restart')
    for (const stream of cluster.streams) stream.changeLeader(this.serverClock(), random.chance(0.8))
    this.leaderless(cluster.streams, 'leaderless', random.spread(500, 11_000))
  }

  slowReplicas(stream: Stream): void {
    const { random, story } = this.#world
    story?.tell(stream.name, 'has slow replicas')
    stream.slowness = random.spread(10, 4_000)
    lasting(this.#world, () => (stream.slowness = 0))
  }

  heal(): void {
    for (const stream of this.#world.cluster.streams) {
      stream.staleSince = undefined
      stream.slowness = 0
      stream.full = 'no'
      if (stream.leader !== 'up') stream.lead('up')
    }
  }
}
