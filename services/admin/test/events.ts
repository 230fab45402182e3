/** Events as a queue would tell them. */
import { EVENT_SCHEMA } from '@posthouse/core/event'
import type { MailEvent } from '@posthouse/core/event'

export const NOON = Date.parse('2026-05-04T12:00:00Z')

export function event(sequence: number, message: string, fields: Partial<MailEvent> = {}): MailEvent {
  const partition = fields.partition ?? 0
  const type = fields.type ?? 'delivered'
  return {
    schema: EVENT_SCHEMA,
    id: `${partition}-${sequence}-${message}-${type}`,
    type,
    time: new Date(NOON + sequence * 1000).toISOString(),
    partition,
    sequence,
    node: 'delivery-1',
    message,
    sender: 'anna@example.org',
    recipients: [{ index: 0, address: 'bob@example.com' }],
    ...(type !== 'accepted' && {
      attempt: { number: 1, host: 'mx.example.com[192.0.2.1]:25', reply: '250 ok', ms: 12 },
    }),
    ...fields,
  }
}

export function accepted(sequence: number, message: string, fields: Partial<MailEvent> = {}): MailEvent {
  const acceptedAt = new Date(NOON + sequence * 1000).toISOString()
  const acceptance = {
    node: 'edge-1',
    client: '192.0.2.9',
    helo: 'client.example',
    role: 'submission',
    user: 'anna',
    messageId: `${message.toLowerCase()}@example.org`,
    size: 2048,
    recipients: fields.recipients?.length ?? 1,
    acceptedAt,
  }
  return event(sequence, message, {
    type: 'accepted',
    node: 'edge-1',
    id: `${message}-accepted`,
    acceptance,
    ...fields,
  })
}

/** A queue id. */
export function queueId(number: number): string {
  return `A0000000${String(number).padStart(5, '0')}`
}
