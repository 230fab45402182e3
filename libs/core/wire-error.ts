/**
 * What the decoders throw at bytes they cannot read, and the checks they are built from. Every value that comes from
 * the wire passes one of these checks, so that a malformed input ends in a sentence and never further inside.
 */

export type WireFault =
  /** Not what the format says. */
  | 'malformed'
  /** Written by a version that this one cannot read. */
  | 'version'
  /** Asked to write more than the format allows. */
  | 'too-large'

export class WireError extends Error {
  readonly fault: WireFault
  constructor(fault: WireFault, message: string) {
    super(message)
    this.name = 'WireError'
    this.fault = fault
  }
}

export function malformed(what: string): never {
  throw new WireError('malformed', what)
}

export type Fields = Readonly<Record<string, unknown>>

export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return malformed(`${what} is not JSON`)
  }
}

export function asFields(value: unknown, what: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) malformed(`${what} is not an object`)
  return value as Fields
}

export function asList(value: unknown, what: string): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : malformed(`${what} is not a list`)
}

export function asText(value: unknown, what: string): string {
  return typeof value === 'string' ? value : malformed(`${what} is not a text`)
}

/** A whole number from 0 on: sequences, sizes, times. */
export function asCount(value: unknown, what: string): number {
  return Number.isSafeInteger(value) && (value as number) >= 0
    ? (value as number)
    : malformed(`${what} is not a whole number`)
}

/** What only readers want: if it cannot be read it is left out, as no mail hangs on it. */
export function forReaders<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof WireError) return undefined
    throw error
  }
}

export function optionalText(value: unknown, what: string): string | undefined {
  return value === undefined ? undefined : asText(value, what)
}

/** An absent number is 0. */
export function countOrZero(value: unknown, what: string): number {
  return value === undefined ? 0 : asCount(value, what)
}
