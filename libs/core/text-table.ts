/**
 * What the codecs of the log's entries share: texts that repeat within an entry are written once and named by their number, a
 * header value is printable ASCII, and what something adds to it can be reckoned before it is written.
 */
import { packNumbers } from './number-list.ts'
import { asCount, asText, WireError } from './wire-error.ts'

/** The servers allow 64 KiB for all headers of a message. */
export const MAX_ENTRY_HEADER = 48 * 1024

/** Texts that repeat within an entry (batch ids, hosts) are written once and named by their number. */
export class TextTable {
  readonly texts: string[] = []
  readonly #numbers = new Map<string, number>()

  number(text: string): number {
    const known = this.#numbers.get(text)
    if (known !== undefined) return known
    this.#numbers.set(text, this.texts.length)
    return this.texts.push(text) - 1
  }
}

/** Throws a WireError if it is too large. */
export function headerValue(json: unknown): string {
  const value = toAscii(JSON.stringify(json))
  if (value.length <= MAX_ENTRY_HEADER) return value
  throw new WireError(
    'too-large',
    `an entry's header of ${value.length} bytes is over the limit of ${MAX_ENTRY_HEADER}`,
  )
}

export const reportSize = (record: string, recipients: readonly number[]) =>
  10 + textSize(record) + listSize(recipients)
export const listSize = (numbers: readonly number[]) =>
  numbers.length === 1 ? 20 : 4 + JSON.stringify(packNumbers(numbers)).length
/** With quotes, comma and the number that stands for it where it is used. */
export const textSize = (text: string) => (PLAIN.test(text) ? text.length : toAscii(JSON.stringify(text)).length) + 10
const PLAIN = /^[ !#-[\]-~]*$/
export const textsSize = (texts: readonly string[]) => texts.reduce((size, text) => size + textSize(text), 0)

export const textAt = (texts: readonly unknown[], number: unknown, what: string) =>
  asText(texts[asCount(number, what)], what)

/** Cuts a text without leaving half a surrogate pair behind. */
export function cut(text: string, length: number): string {
  if (text.length <= length) return text
  const last = text.charCodeAt(length - 1)
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? length - 1 : length)
}

/** JSON leaves only characters from U+007F on to be escaped. */
function toAscii(json: string): string {
  return json.replace(/[\u007f-\uffff]/g, (char) => '\\u' + char.charCodeAt(0).toString(16).padStart(4, '0'))
}
