/**
 * Events out of what lies in a partition's log. Outcomes are taken from `.outcome` entries: what a `.later` entry closed is told in
 * one of them as well, and the `.later` entry is deleted some day (entry.ts, Told). So whoever reads a log, now or later,
 * gets the same events with the same ids.
 */
import { decodeAccepted } from './accepted-codec.ts'
import type { AcceptedFacts, AcceptedMessage, Closing, Told } from './entry.ts'
import { decodeEntry } from './entry-codec.ts'
import { EVENT_SCHEMA, type Acceptance, type Attempt, type EventType, type MailEvent } from './event.ts'

export interface LoggedHeader {
  readonly seq: number
  /** ms since the epoch, by the servers' clocks. */
  readonly storedAt: number
  readonly kind: 'lease' | 'outcome' | 'later' | 'accepted' | 'late'
  /** Value of its header. */
  readonly value: string
}

/** Throws a WireError if the entry cannot be read. */
export function eventsOf(partition: number, header: LoggedHeader): MailEvent[] {
  switch (header.kind) {
    case 'accepted':
      return decodeAccepted(header.value).map((message) => ofMessage(partition, header.seq, message))
    case 'outcome':
      return outcomes(partition, header)
    case 'late':
      return late(partition, header)
    case 'lease':
    case 'later':
      return []
  }
}

function outcomes(partition: number, { seq, storedAt, value }: LoggedHeader): MailEvent[] {
  const { closes, told = [], name, node } = decodeEntry(value)
  const writer = { partition, sequence: seq, node: name ?? node }
  let number = 0
  const next = () => `${partition}.${seq}.${number++}`
  const all: MailEvent[] = []
  for (const closing of closes) {
    all.push(...acceptanceOf(partition, seq, closing))
    if (closing.how !== 'unknown') all.push(ofClosing(next(), closing.how, closing, writer, storedAt))
  }
  for (const one of told) {
    const { closing } = one
    all.push(...acceptanceOf(partition, seq, closing))
    if (closing.how !== 'unknown')
      all.push({ ...ofClosing(next(), closing.how, closing, writer, storedAt), ...whatWaits(one) })
  }
  return all
}

/** An attempt of a node that had lost its lease: it closed nothing. */
function late(partition: number, { seq, storedAt, value }: LoggedHeader): MailEvent[] {
  const { closes, name, node } = decodeEntry(value)
  const writer = { partition, sequence: seq, node: name ?? node }
  return closes.map((closing, number) =>
    ofClosing(`${partition}.${seq}.${number}`, 'attempted', closing, writer, storedAt),
  )
}

function ofClosing(
  id: string,
  type: EventType,
  closing: Closing,
  writer: Pick<MailEvent, 'partition' | 'sequence' | 'node'>,
  storedAt: number,
): MailEvent {
  const { from, to, report, at = storedAt } = closing
  return {
    schema: EVENT_SCHEMA,
    id,
    type,
    time: new Date(at).toISOString(),
    ...writer,
    message: closing.id,
    ...(from === undefined ? {} : { sender: from }),
    recipients: closing.indexes.map((index, position) => {
      const address = to?.[position]
      return address === undefined ? { index } : { index, address }
    }),
    attempt: attemptOf(closing),
    ...(report === undefined ? {} : { reports: { message: report.record, recipients: report.recipients } }),
    ...(closing.possibleDuplicate === true ? { possibleDuplicate: true } : {}),
  }
}

function attemptOf({ attempt, facts: { host, tls, reply, ms } }: Closing): Attempt {
  return {
    number: attempt,
    ...(host === undefined ? {} : { host }),
    ...(tls === undefined ? {} : { tls }),
    ...(reply === undefined ? {} : { reply }),
    ...(ms === undefined ? {} : { ms }),
  }
}

function whatWaits({ closing, due, bounce }: Told): Pick<MailEvent, 'next' | 'report'> {
  const waits = closing.how === 'deferred' || closing.how === 'parked' || closing.how === 'held'
  return {
    ...(waits ? { next: new Date(due).toISOString() } : {}),
    ...(bounce === undefined ? {} : { report: bounce }),
  }
}

/** The first closing of a message repeats how it was accepted. Of very many recipients only those it closed are named. */
function acceptanceOf(partition: number, sequence: number, closing: Closing): MailEvent[] {
  const { id, from = '', to = [], all, indexes, accepted: facts } = closing
  if (facts === undefined) return []
  const recipients = (all ?? to).map((address, position) => ({
    index: all === undefined ? (indexes[position] ?? position) : position,
    address,
  }))
  return [acceptedEvent(partition, sequence, { id, from, facts }, recipients)]
}

function ofMessage(partition: number, sequence: number, message: AcceptedMessage): MailEvent {
  const { to, first } = message
  const recipients = to.map((address, position) => ({ index: first + position, address }))
  return acceptedEvent(partition, sequence, message, recipients, first)
}

/** Its id is the same whoever tells it; the further parts of very many recipients have their own. */
function acceptedEvent(
  partition: number,
  sequence: number,
  { id, from, facts }: Pick<AcceptedMessage, 'id' | 'from' | 'facts'>,
  recipients: MailEvent['recipients'],
  first = 0,
): MailEvent {
  return {
    schema: EVENT_SCHEMA,
    id: first === 0 ? `${id}.accepted` : `${id}.accepted.${first}`,
    type: 'accepted',
    time: new Date(facts.acceptedAt).toISOString(),
    partition,
    sequence,
    node: facts.node,
    message: id,
    sender: from,
    recipients,
    acceptance: acceptanceFacts(facts),
  }
}

function acceptanceFacts({ acceptedAt, ...facts }: AcceptedFacts): Acceptance {
  return { ...facts, acceptedAt: new Date(acceptedAt).toISOString() }
}
