/**
 * Direct gets: messages read from whichever replica answers, without a consumer and without the meta leader. A replica
 * may lag: what it has is true and in order, what it has not says nothing. A message beyond the asked one does say that the asked
 * one has been removed, as a replica applies everything in order.
 */
import type { Msg } from 'nats'
import type { Links } from './links.ts'

export interface DirectQuery {
  readonly seq?: number
  /** ms since the epoch: the first message stored at or after it. */
  readonly startTime?: number
  readonly batch: number
  readonly maxBytes?: number
}

export interface DirectMessage {
  readonly seq: number
  readonly storedAt: number
  header(name: string): string
  readonly payload: Uint8Array
}

export type DirectAnswer =
  /** Empty: this replica has nothing there. */
  { readonly is: 'messages'; readonly messages: readonly DirectMessage[] } | { readonly is: 'unanswered' }

/** Reads the messages from a sequence or time on; at least one if the replica has any, whatever its size. */
export async function readDirect(links: Links, stream: string, query: DirectQuery, ms: number): Promise<DirectAnswer> {
  const messages: DirectMessage[] = []
  let complete = false
  const body = JSON.stringify({
    ...(query.seq === undefined ? {} : { seq: query.seq }),
    ...(query.startTime === undefined ? {} : { start_time: new Date(query.startTime).toISOString() }),
    batch: query.batch,
    ...(query.maxBytes === undefined ? {} : { max_bytes: query.maxBytes }),
  })
  await links.converse(`$JS.API.DIRECT.GET.${stream}`, body, undefined, ms, (message) => {
    const code = message.headers?.code ?? 0
    if (code !== 0) {
      complete = code === 204 || code === 404
      return true
    }
    messages.push(directMessage(message))
    return false
  })
  // What arrived before a connection was lost is as true as the rest.
  return complete || messages.length > 0 ? { is: 'messages', messages } : { is: 'unanswered' }
}

/** The last message of one subject, as one replica has it; undefined: it has none. */
export async function readDirectLast(
  links: Links,
  stream: string,
  subject: string,
  ms: number,
): Promise<{ is: 'message'; message: DirectMessage } | { is: 'none' } | { is: 'unanswered' }> {
  const reply = await links.request(`$JS.API.DIRECT.GET.${stream}.${subject}`, '', undefined, ms)
  if (reply.is !== 'reply') return { is: 'unanswered' }
  const code = reply.message.headers?.code ?? 0
  if (code === 404) return { is: 'none' }
  return code === 0 ? { is: 'message', message: directMessage(reply.message) } : { is: 'unanswered' }
}

function directMessage(message: Msg): DirectMessage {
  const header = (name: string) => message.headers?.get(name) ?? ''
  return {
    seq: Number(header('Nats-Sequence')),
    storedAt: Date.parse(header('Nats-Time-Stamp')),
    header,
    payload: message.data,
  }
}
