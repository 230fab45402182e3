/**
 * The rules of design section 2 that keep mail safe, each with a switch so that the simulator can show what goes wrong
 * without it, and the times they work with. Products never switch any off.
 */
export interface Rules {
  /** The servers refuse entries of a former owner: entries carry the sequence of the lease. */
  readonly fencedEntries: boolean
  /** The final dot is asked for; without a valid lease it is not sent. */
  readonly fencedDot: boolean
  /** No dot while an unstored delivery is older than its cap. */
  readonly outcomeCap: boolean
  /** Dots, deletes and purges keep a margin before the lease ends. */
  readonly margin: boolean
  /** A successor reads the log up to its own lease, not only what it happens to see. */
  readonly readToOwnLease: boolean
  /** R stays below what closes a task of a batch that is not removed. */
  readonly r: boolean
  /** `.later` entries are deleted only below the stored R. */
  readonly deleteBelowR: boolean
  /** A body is purged only when the floor has passed its origin and no open `.later` needs it. */
  readonly bodyRule: boolean
  /** Tasks are named by index, not by destination. */
  readonly tasksByIndex: boolean
  /** A lease counts from the first sending of the try that was stored. */
  readonly firstSending: boolean
  /** A batch that is a repeat of one already seen is recognised by its id. */
  readonly rememberedIds: boolean
  /** What a dead owner may have begun counts as a possible duplicate when it is run. */
  readonly suspects: boolean
  /** Nothing is begun beyond the stored lease's word. */
  readonly mayBegin: boolean
  /** The sweep takes only bodies so old that no record of theirs can come any more. */
  readonly sweepsOld: boolean
  /** It takes a body only when MAIL has been read up to a batch that was stored when the body was so old. */
  readonly sweepsAfterReading: boolean
  /** It takes only bodies that no known record refers to. */
  readonly sweepsUnknown: boolean
  /** A `.later` entry's word is repeated for readers before it can be deleted, by a successor if need be; R stays at or below it until then. */
  readonly tellsBeforeDelete: boolean
}
export const ALL_RULES: Rules = {
  fencedEntries: true,
  fencedDot: true,
  outcomeCap: true,
  margin: true,
  readToOwnLease: true,
  r: true,
  deleteBelowR: true,
  bodyRule: true,
  tasksByIndex: true,
  firstSending: true,
  rememberedIds: true,
  suspects: true,
  mayBegin: true,
  sweepsOld: true,
  sweepsAfterReading: true,
  sweepsUnknown: true,
  tellsBeforeDelete: true,
}

/** Times in ms. */
export type Times = { readonly [name in keyof typeof TIMES]: number }

export const TIMES = {
  lease: 10_000,
  renewEvery: 2_000,
  margin: 1_000,
  /** A candidate of rank n waits n times this longer. */
  rankDelay: 400,
  /** Outcomes go out together this often. */
  outcomeEvery: 50,
  outcomeCap: 250,
  purgeEvery: 1_000,
  pollMail: 1_000,
  /** A batch half run for so long has its rest copied anew. */
  halfRun: 600_000,
  /** How long after its closing a batch may be repeated: remembered ids, see floorTime. */
  repeatWindow: 600_000,
  /** An entry whose fate is unknown for so long is not sent again: the partition is taken over anew. */
  unknownFate: 300_000,
  retryWrite: 100,
  /** Ids are remembered so much longer. */
  repeatSlack: 60_000,
  /** A replica of MAIL that lags further does not answer reads. */
  replicaLag: 120_000,
  trimEvery: 60_000,
  keepLog: 7 * 24 * 3_600_000,
  /**
   * A body that nothing refers to is swept when it is so old. Its record comes within 6 hours of its first chunk
   * (body-writer.ts) and some minutes of asking: the rest is for servers whose clocks differ.
   */
  sweepAge: 24 * 3_600_000,
} as const
