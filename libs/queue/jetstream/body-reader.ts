/**
 * Reads a large body chunk by chunk, a few chunks ahead of the reader. The digest is checked at the end: the reader must not end
 * its transaction before the iteration has ended without an error.
 */
import { createHash } from 'node:crypto'
import type { BodyReference } from '@posthouse/core/record'
import { BodyMissing } from '../port.ts'
import { api, CODE, type ApiMessage } from './api.ts'
import { readDirectLast } from './direct.ts'
import type { Links } from './links.ts'
import { bodyStream, bodySubject } from './subjects.ts'

const AHEAD = 3
const TRY_MS = 1500
/** So long a chunk is asked for when nobody answers, or when the servers say that it is missing. */
const GIVE_UP_MS = 15_000
const MISSING_MS = 3000
const PAUSE_MS = 200

export async function* readBody(links: Links, partition: number, body: BodyReference): AsyncIterable<Uint8Array> {
  const hash = createHash('sha256')
  const ahead: Promise<Uint8Array>[] = []
  let asked = 0
  let size = 0
  for (let chunk = 0; chunk < body.chunks; chunk++) {
    while (asked < body.chunks && asked <= chunk + AHEAD - 1) {
      const read = readChunk(links, partition, body.id, asked++)
      read.catch(() => {}) // it is awaited in its turn
      ahead.push(read)
    }
    const bytes = await (ahead.shift() as Promise<Uint8Array>)
    hash.update(bytes)
    size += bytes.length
    yield bytes
  }
  if (size !== body.size || hash.digest('hex') !== body.sha256) {
    throw new BodyMissing(`body ${body.id} in partition ${partition} is not what was stored (${size} bytes)`)
  }
}

async function readChunk(links: Links, partition: number, body: string, chunk: number): Promise<Uint8Array> {
  const stream = bodyStream(partition)
  const subject = bodySubject(partition, body, chunk)
  const begin = performance.now()
  let missingSince: number | undefined
  for (;;) {
    const direct = await readDirectLast(links, stream, subject, TRY_MS)
    if (direct.is === 'message') return direct.message.payload
    if (direct.is === 'none') {
      // The replica may lag. Its leader knows better, unless it has just been deposed: hence more than once.
      const leader = await api<ApiMessage>(links, `STREAM.MSG.GET.${stream}`, { last_by_subj: subject }, TRY_MS)
      if (leader.is === 'ok') return Buffer.from(leader.value.message.data ?? '', 'base64')
      if (leader.is === 'error' && leader.code === CODE.noMessage) {
        missingSince ??= performance.now()
        if (performance.now() - missingSince > MISSING_MS) {
          throw new BodyMissing(`chunk ${chunk} of body ${body} in partition ${partition} is missing`)
        }
      } else missingSince = undefined
    }
    if (performance.now() - begin > GIVE_UP_MS) {
      throw new Error(`chunk ${chunk} of body ${body} in partition ${partition} could not be read: no answer`)
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  }
}
