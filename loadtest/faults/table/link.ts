// Links that are cut, cut in one direction, flap, lose packets or become slow, and splits of the whole room.

import type { Fault, Scene } from '../fault.ts'
import type { Party } from '../room.ts'
import { DOWN_MS, TAKEOVER_MS } from './process.ts'

/** Two ends: one party on the left, all of these on the right. */
interface Link {
  readonly left: string
  readonly right: readonly Party[]
}

interface LinkKind {
  readonly name: string
  readonly what: string
  readonly duplicates: boolean
  /** Whether a full cut ends the lease, so that another node takes over. */
  readonly takeover?: boolean
  choose(scene: Scene): Link
}

const natsNames = (scene: Scene) => scene.room.nodes('nats').map(({ name }) => name)
const one = (scene: Scene, kind: 'nats' | 'edge' | 'delivery') => scene.pick(scene.room.nodes(kind)).name

const KINDS: readonly LinkKind[] = [
  {
    name: 'edge-nats',
    what: 'one edge and all NATS servers',
    duplicates: false,
    choose: (scene) => ({ left: one(scene, 'edge'), right: natsNames(scene) }),
  },
  {
    name: 'edge-one-nats',
    what: 'one edge and one NATS server',
    duplicates: false,
    choose: (scene) => ({ left: one(scene, 'edge'), right: [one(scene, 'nats')] }),
  },
  {
    name: 'delivery-nats',
    what: 'one delivery node and all NATS servers',
    duplicates: true,
    takeover: true,
    choose: (scene) => ({ left: one(scene, 'delivery'), right: natsNames(scene) }),
  },
  {
    name: 'delivery-one-nats',
    what: 'one delivery node and one NATS server',
    duplicates: true,
    choose: (scene) => ({ left: one(scene, 'delivery'), right: [one(scene, 'nats')] }),
  },
  {
    name: 'nats-nats',
    what: 'two NATS servers',
    duplicates: false,
    choose(scene) {
      const left = one(scene, 'nats')
      return { left, right: [scene.pick(natsNames(scene).filter((name) => name !== left))] }
    },
  },
  {
    name: 'delivery-sites',
    what: 'one delivery node and all destinations',
    duplicates: true,
    choose: (scene) => ({ left: one(scene, 'delivery'), right: ['sites'] }),
  },
  {
    name: 'balancer-edge',
    what: 'the load balancer and one edge',
    duplicates: false,
    choose: (scene) => ({ left: 'balancer', right: [one(scene, 'edge')] }),
  },
]

const FLAPS = 8
const FLAP_MS = 1300

function nodesOf({ left, right }: Link): string[] {
  return [left, ...right.filter((party) => party !== 'sites')]
}

async function heal(scene: Scene, { left, right }: Link): Promise<void> {
  for (const party of right) await scene.room.links.heal(left, party)
}

function bars({ duplicates, takeover = false }: LinkKind): Fault['bars'] {
  return { gapMs: 1000, duplicates, ...(takeover ? { takeoverMs: TAKEOVER_MS } : {}) }
}

function cut(kind: LinkKind): Fault {
  return {
    name: `cut-${kind.name}`,
    kind: 'link',
    what: `nothing passes between ${kind.what}`,
    needs: 'namespaces',
    quick: kind.name === 'nats-nats',
    bars: bars(kind),
    async run(scene) {
      const link = kind.choose(scene)
      scene.mark('hit', nodesOf(link), `cut ${link.left} from ${link.right.join(' ')}`)
      for (const party of link.right) await scene.room.links.cut(link.left, party)
      await scene.hold(DOWN_MS)
      await heal(scene, link)
      scene.mark('heal', nodesOf(link), 'linked again')
    },
  }
}

function oneWay(kind: LinkKind, direction: 'out' | 'in'): Fault {
  const heard = direction === 'out' ? 'the first is not heard by the second' : 'the first does not hear the second'
  return {
    name: `oneway-${direction}-${kind.name}`,
    kind: 'link',
    what: `${kind.what}: ${heard}`,
    needs: 'namespaces',
    bars: bars(kind),
    async run(scene) {
      const link = kind.choose(scene)
      const others = link.right.join(' ')
      scene.mark(
        'hit',
        nodesOf(link),
        direction === 'out' ? `${link.left} -/-> ${others}` : `${others} -/-> ${link.left}`,
      )
      for (const party of link.right) {
        if (direction === 'out') await scene.room.links.cutOneWay(link.left, party)
        else await scene.room.links.cutOneWay(party, link.left)
      }
      await scene.hold(DOWN_MS)
      await heal(scene, link)
      scene.mark('heal', nodesOf(link), 'linked again')
    },
  }
}

function flap(kind: LinkKind): Fault {
  return {
    name: `flap-${kind.name}`,
    kind: 'link',
    what: `the link between ${kind.what} goes and comes, ${FLAPS} times within 20 seconds`,
    needs: 'namespaces',
    bars: bars(kind),
    async run(scene) {
      const link = kind.choose(scene)
      scene.mark('hit', nodesOf(link), `${link.left} and ${link.right.join(' ')} flap`)
      for (let turn = 0; turn < FLAPS; turn++) {
        for (const party of link.right) await scene.room.links.cut(link.left, party)
        await scene.sleep(FLAP_MS * (0.5 + scene.random()))
        await heal(scene, link)
        await scene.sleep(FLAP_MS * (0.5 + scene.random()))
      }
      scene.mark('heal', nodesOf(link), 'steady again')
    },
  }
}

/** The first party and all others it can be cut from. */
async function isolate(scene: Scene, minority: readonly string[]): Promise<void> {
  const inside = new Set(minority)
  const others = scene.room
    .nodes()
    .map(({ name }) => name)
    .filter((name) => !inside.has(name))
  for (const left of minority) for (const right of others) await scene.room.links.cut(left, right)
}

const minoritySplit: Fault = {
  name: 'split-minority',
  kind: 'link',
  what: 'one NATS server, one edge and one delivery node are cut from all others, but not from each other',
  needs: 'namespaces',
  bars: { gapMs: 1000, duplicates: true },
  async run(scene) {
    const minority = (['nats', 'edge', 'delivery'] as const).map((kind) => one(scene, kind))
    scene.mark('hit', minority, `${minority.join(' ')} are on their own`)
    await isolate(scene, minority)
    await scene.hold(DOWN_MS)
    await scene.room.links.healAll()
    scene.mark('heal', minority, 'together again')
  },
}

const natsAlone: Fault = {
  name: 'isolate-nats',
  kind: 'link',
  what: 'one NATS server is cut from everything',
  needs: 'namespaces',
  bars: { gapMs: 1000, duplicates: false },
  async run(scene) {
    const name = one(scene, 'nats')
    scene.mark('hit', [name], `${name} is on its own`)
    await isolate(scene, [name])
    await scene.hold(DOWN_MS)
    await scene.room.links.healAll()
    scene.mark('heal', [name], 'together again')
  },
}

const noMajority: Fault = {
  name: 'split-all-nats',
  kind: 'link',
  what: 'no NATS server hears another: no majority anywhere',
  needs: 'namespaces',
  bars: { gapMs: null, duplicates: true, why: 'without a majority of the servers nothing can be stored' },
  async run(scene) {
    const names = natsNames(scene)
    scene.mark('hit', names, 'no NATS server hears another')
    for (const [index, left] of names.entries()) {
      for (const right of names.slice(index + 1)) await scene.room.links.cut(left, right)
    }
    await scene.hold(DOWN_MS)
    await scene.room.links.healAll()
    scene.mark('heal', names, 'together again')
  },
}

const LOST_SHARE = 0.05

const loss: Fault = {
  name: 'lose-packets',
  kind: 'link',
  what: `${LOST_SHARE * 100} % of all packets between all nodes are lost`,
  needs: 'namespaces',
  bars: { gapMs: null, duplicates: true, why: 'each lost packet costs TCP at least 0.2 s: measured, not promised' },
  async run(scene) {
    const names = scene.room.nodes().map(({ name }) => name)
    scene.mark('hit', names, `${LOST_SHARE * 100} % of the packets are lost`)
    for (const from of names) for (const to of names) if (from !== to) await scene.room.links.lose(LOST_SHARE, from, to)
    await scene.hold(DOWN_MS)
    await scene.room.links.healAll()
    scene.mark('heal', names, 'none is lost')
  },
}

const LATENCY_MS = 25

const latency: Fault = {
  name: 'add-latency',
  kind: 'link',
  what: `every connection of NATS takes ${LATENCY_MS} ms longer in each direction`,
  needs: 'namespaces',
  room: { delayable: true },
  bars: { gapMs: 1000, duplicates: false },
  async run(scene) {
    const names = natsNames(scene)
    scene.mark('hit', names, `${LATENCY_MS} ms latency`)
    scene.room.delay(LATENCY_MS)
    await scene.hold(DOWN_MS)
    scene.room.delay(0)
    scene.mark('heal', names, 'none')
  },
}

export const linkFaults: readonly Fault[] = [
  ...KINDS.map(cut),
  ...KINDS.flatMap((kind) => [oneWay(kind, 'out'), oneWay(kind, 'in')]),
  ...KINDS.map(flap),
  natsAlone,
  minoritySplit,
  noMajority,
  loss,
  latency,
]
