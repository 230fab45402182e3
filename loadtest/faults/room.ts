// The machine room: a real cluster of which every part can be broken on purpose. Two implementations: network namespaces of
// its own (needs root; links, disks and clocks can be broken too) and loopback (process faults only). Whatever it makes
// (processes, namespaces, mounts) is gone when it is disposed of, and also when its process is killed.

import type { Target } from '../smtp-client.ts'

export type NodeKind = 'nats' | 'edge' | 'delivery' | 'balancer'
/**
 * A party of a link: a node by name, or a place outside the cluster: `sites`, `dns`, `clients`. The control connection of the
 * harness is never cut.
 */
export type Party = string

export interface RoomOptions {
  /** Folder of all files of the room: settings, logs, stores. */
  readonly dir: string
  /** Nodes at the start; NATS servers are always three. */
  readonly edges: number
  readonly deliveries: number
  /** Each NATS server's store on a file system of its own (a loop-mounted image of this size), so that it can be full, slow or lose power. */
  readonly diskMiB?: number
  /** `sync_interval` of the NATS servers; anything but `always` is a planted fault. */
  readonly sync?: 'always' | '2m'
  /** The client and route connections of NATS pass through a proxy whose delay can be set (Room.delay). */
  readonly delayable?: boolean
  /** Edges and deliveries run under libfaketime, so that RoomNode.jumpClock works. */
  readonly clocks?: boolean
  /** Further settings of the deliveries and edges, put over the room's own. */
  readonly deliverySettings?: Readonly<Record<string, unknown>>
  readonly edgeSettings?: Readonly<Record<string, unknown>>
  /** Ends every wait of the room. */
  readonly signal: AbortSignal
  readonly say: (line: string) => void
}

export interface Room extends AsyncDisposable {
  readonly dir: string
  /** False on loopback: then links, disks and clocks cannot be broken. */
  readonly isolated: boolean
  /** Where the far ends listen: addresses that the harness may bind, one per site, on one port (`route.port`). */
  readonly sites: { readonly addresses: readonly string[]; readonly port: number }
  /** Where the harness must serve DNS (UDP) before the first delivery. */
  readonly dns: { readonly host: string; readonly port: number }
  /** Settings file that `posthouse queue …` and the event reader take. */
  readonly queueFile: string
  /** Starts everything that is not running; resolves when all of it is ready. */
  start(): Promise<void>
  /** Every node, running or not, but for those removed. */
  nodes(kind?: NodeKind): readonly RoomNode[]
  node(name: string): RoomNode
  /** Whose address this is, if it is a node's: how arrivals are traced to the delivery node that sent them. */
  nameOf(address: string): string | undefined
  /** Where clients send: the balancer, or on loopback the ports that the edges share. */
  targets(role: 'relay' | 'submission' | 'submissions'): readonly Target[]
  /** An address that the user of the submission targets may send as. */
  userAddress(): string
  /** One more edge or delivery, running and ready. */
  add(kind: 'edge' | 'delivery'): Promise<RoomNode>
  /** Stops a node in good order and forgets it. */
  remove(node: RoomNode): Promise<void>
  readonly links: Links
  /** One-way delay of the NATS connections, ms; needs `delayable`. 0 takes it away. */
  delay(ms: number, parties?: { readonly from: Party; readonly to: Party }): void
  /** Un-fsynced writes of these servers are thrown away at once, as by a power cut; needs `diskMiB`. They are down afterwards. */
  powerCut(nodes: readonly RoomNode[]): Promise<void>
}

export interface Links {
  /** What `from` sends to `to` vanishes without a word, from now on and in open connections. The other direction goes on. */
  cutOneWay(from: Party, to: Party): Promise<void>
  cut(a: Party, b: Party): Promise<void>
  /** This share (0 to 1) of what `from` sends to `to` vanishes. */
  lose(share: number, from: Party, to: Party): Promise<void>
  /** Takes every cut and loss between the two away, both directions. */
  heal(a: Party, b: Party): Promise<void>
  healAll(): Promise<void>
}

export interface RoomNode {
  readonly name: string
  readonly kind: NodeKind
  /** Address inside the room; on loopback 127.0.0.1. */
  readonly address: string
  /** Base of /livez, /readyz and /metrics; undefined for balancer; the monitoring port of a NATS server. */
  readonly http: string | undefined
  /** What the program wrote; appended to over restarts. */
  readonly logFile: string
  readonly pid: number | undefined
  readonly running: boolean
  /** Checkout whose sources it runs from the next start on; undefined = this one. Edges and deliveries only. */
  release: string | undefined
  /** Starts it if it is down; resolves when the process runs. It is not ready yet. */
  start(): Promise<void>
  /** Resolves when it is ready (NATS: JetStream is current); rejects after the time. */
  ready(withinMs?: number): Promise<void>
  /** kill -9; resolves when it is gone. */
  kill(): Promise<void>
  /** SIGTERM, and waits until it has ended in good order; answers with its exit status. Rejects when it takes longer than `withinMs`. */
  stop(withinMs?: number): Promise<number | null>
  /** SIGSTOP. */
  freeze(): void
  /** SIGCONT. */
  thaw(): void
  /** Sets its wall clock ahead (or back) by so much against the true one; needs `clocks`. Monotonic time is not touched. */
  jumpClock(ms: number): Promise<void>
  /** NATS servers only. */
  readonly disk: Disk | undefined
}

export interface Disk {
  /** Throws the store away; the server must be down. */
  wipe(): Promise<void>
  /** Fills the file system to the last byte; needs `diskMiB`. */
  fill(): Promise<void>
  /** Takes the filling away. */
  free(): Promise<void>
  /** Every write and sync takes about this much longer; 0 = as usual. Needs root. */
  slow(ms: number): Promise<void>
  usedBytes(): Promise<number>
}
