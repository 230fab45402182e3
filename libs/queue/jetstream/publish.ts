/** One try of one publish, and what its answer means (libs/core/answer.ts). */
import type { PublishAnswer } from '@posthouse/core/answer'
import { CODE, type ApiError } from './api.ts'
import { publishHeaders, type PublishHeaders } from './headers.ts'
import type { Links } from './links.ts'

interface PubAck {
  readonly seq?: number
  readonly duplicate?: boolean
  readonly error?: ApiError
}

const UNANSWERED: PublishAnswer = { is: 'unanswered' }

export async function publish(
  links: Links,
  subject: string,
  headers: PublishHeaders,
  payload: Uint8Array,
  ms: number,
): Promise<PublishAnswer> {
  const reply = await links.request(subject, payload, publishHeaders(headers), ms)
  switch (reply.is) {
    case 'reply':
      return readAck(reply.message.string())
    case 'no-responders':
      return { is: 'refused', why: 'no-leader' }
    case 'unsent':
      return { is: 'refused', why: 'no-leader', text: reply.text }
    case 'invalid':
      return { is: 'refused', why: 'other', text: reply.text }
    // Said of a subject, not of this one message.
    case 'forbidden':
    case 'unanswered':
      return UNANSWERED
  }
}

export function readAck(text: string): PublishAnswer {
  let ack: PubAck
  try {
    ack = JSON.parse(text) as PubAck
  } catch {
    return UNANSWERED
  }
  if (ack.error === undefined) {
    return typeof ack.seq === 'number' && ack.seq > 0
      ? { is: 'stored', seq: ack.seq, duplicate: ack.duplicate === true }
      : UNANSWERED
  }
  return refusal(ack.error.err_code ?? ack.error.code, ack.error.description ?? '')
}

function refusal(code: number, description: string): PublishAnswer {
  const text = `${description} (${code})`
  switch (code) {
    case 503:
    case CODE.notAvailable:
    case CODE.notEnabled:
      return { is: 'refused', why: 'no-leader', text }
    case CODE.storeFailed:
      // The limits of a stream are checked before a message is proposed. Any other failure of a store (a broken disk) may have
      // struck the leader after the others had stored the message.
      return /maximum \w+ exceeded/.test(description) ? { is: 'refused', why: 'full', text } : UNANSWERED
    case CODE.accountFull:
    case CODE.serverFull:
      return { is: 'refused', why: 'full', text }
    case CODE.wrongLast:
      return { is: 'refused', why: 'wrong-last', text }
    case CODE.busy:
      return { is: 'refused', why: 'busy', text }
    case CODE.inFlight:
      return { is: 'refused', why: 'in-flight', text }
    default:
      return { is: 'refused', why: 'other', text }
  }
}
