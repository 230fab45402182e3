/**
 * Lists the bodies of a partition. Their names come from the index that the servers keep of subjects, which costs next to
 * nothing however many bodies wait there; only of those that the caller does not skip the chunks are looked at, headers only,
 * for their times and sizes. A body of which not every chunk shows is left out: it may be going, or the replica may lag.
 */
import type { ListedBody } from '@posthouse/core/owner/effect'
import type { BodyList } from '../store.ts'
import { streamSubjects } from './api.ts'
import type { Links } from './links.ts'
import { readLog } from './log-consumer.ts'
import { bodyChunks, bodyOfSubject, bodyStream, bodySubjects } from './subjects.ts'

const MS = 5000
/** Bodies whose chunks are looked at together. */
const AT_ONCE = 64
/** Chunks that do not show for so long are not waited for. */
const GIVE_UP_MS = 1500

export async function listBodies(links: Links, partition: number, skip: (body: string) => boolean): Promise<BodyList> {
  const chunks = await countChunks(links, partition, skip)
  if (chunks === undefined) return { is: 'unanswered' }
  const bodies: ListedBody[] = []
  const all = [...chunks]
  for (let at = 0; at < all.length; at += AT_ONCE) {
    bodies.push(...(await lookAt(links, partition, new Map(all.slice(at, at + AT_ONCE)))))
  }
  return { is: 'bodies', bodies }
}

/** Chunks of each body, by the word of the leader. */
async function countChunks(
  links: Links,
  partition: number,
  skip: (body: string) => boolean,
): Promise<ReadonlyMap<string, number> | undefined> {
  const chunks = new Map<string, number>()
  for (let offset = 0; ;) {
    const page = await streamSubjects(links, bodyStream(partition), MS, bodySubjects(partition), offset)
    if (page.is !== 'ok') return undefined
    const subjects = Object.keys(page.value.state.subjects ?? {})
    for (const subject of subjects) {
      const body = bodyOfSubject(subject)
      if (body !== undefined && !skip(body)) chunks.set(body, (chunks.get(body) ?? 0) + 1)
    }
    offset += subjects.length
    if (subjects.length === 0 || offset >= (page.value.total ?? 0)) return chunks
  }
}

async function lookAt(links: Links, partition: number, chunks: ReadonlyMap<string, number>): Promise<ListedBody[]> {
  const found = new Map<string, ListedBody>()
  let missing = 0
  for (const count of chunks.values()) missing += count
  await readLog(links, {
    stream: bodyStream(partition),
    from: 1,
    subjects: [...chunks.keys()].map((body) => bodyChunks(partition, body)),
    giveUpMs: GIVE_UP_MS,
    next: ({ subject, storedAt, header }) => {
      const id = bodyOfSubject(subject) as string
      const { chunks: seen, bytes } = found.get(id) ?? { chunks: 0, bytes: 0 }
      const size = Number(header('Nats-Msg-Size'))
      found.set(id, { id, chunks: seen + 1, bytes: bytes + size, newestAt: storedAt })
      return --missing === 0
    },
  })
  return [...found.values()].filter((body) => body.chunks >= (chunks.get(body.id) as number))
}
