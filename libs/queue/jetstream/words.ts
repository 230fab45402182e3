/** What nodes say to each other over core NATS, as JSON: hints. What cannot be read is none. */
import type { Heartbeat, OwnerFigures, PartitionUse } from '../store.ts'

export function readHeartbeat(text: string): Heartbeat | undefined {
  try {
    const beat = JSON.parse(text) as Partial<Heartbeat>
    if (typeof beat.node !== 'string' || typeof beat.name !== 'string') return undefined
    return { node: beat.node, name: beat.name, abstains: beat.abstains === true }
  } catch {
    return undefined
  }
}

export function readUse(text: string): PartitionUse | undefined {
  try {
    const { edge, partition } = JSON.parse(text) as Partial<PartitionUse>
    if (typeof edge !== 'string' || !Number.isInteger(partition)) return undefined
    return { edge, partition: partition as number }
  } catch {
    return undefined
  }
}

export function readFigures(text: string): OwnerFigures | undefined {
  try {
    const figures = JSON.parse(text) as Partial<OwnerFigures>
    const { partition, owner, ready, inFlight, later, bytes, oldestAt, destinations } = figures
    const numbers = [partition, ready, inFlight, later, bytes, oldestAt]
    const fits = typeof owner === 'string' && numbers.every(Number.isFinite) && Array.isArray(destinations)
    return fits ? (figures as OwnerFigures) : undefined
  } catch {
    return undefined
  }
}

/** Name of the admin node and its words, if it has any, in one text. */
export function adminWords(name: string, words: string | undefined): string {
  return words === undefined ? name : `${name}\n${words}`
}

export function readAdminWords(text: string): { readonly name: string; readonly words: string | undefined } {
  const end = text.indexOf('\n')
  return end < 0 ? { name: text, words: undefined } : { name: text.slice(0, end), words: text.slice(end + 1) }
}
