// One message as a person reads it: header fields in order, the text (made from HTML where there is no other), the names
// of what is attached. Very long text is cut; the raw message has all of it.

import type { Readable } from 'node:stream'
import { simpleParser } from 'mailparser'
import { decodeWords, headerFields } from './header-summary.ts'

export interface MessageView {
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly text: string
  readonly isCut: boolean
  readonly attachments: readonly { readonly name: string; readonly type: string; readonly size: number }[]
}

const LONGEST_TEXT = 200_000
const LARGEST_PARSED = 8 * 1024 * 1024

export async function readMessage(content: Readable): Promise<MessageView> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of content as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    size += chunk.length
    if (size > LARGEST_PARSED) break
  }
  const raw = Buffer.concat(chunks)
  const parsed = await simpleParser(raw, { skipImageLinks: true, skipTextToHtml: true })
  const text = parsed.text ?? (parsed.html ? withoutMarkup(parsed.html) : '')
  return {
    headers: headerFields(raw).map(([name, value]) => [name, decodeWords(value)]),
    text: text.slice(0, LONGEST_TEXT),
    isCut: text.length > LONGEST_TEXT || size > LARGEST_PARSED,
    attachments: parsed.attachments.map(({ filename, contentType, size: bytes }) => ({
      name: filename ?? '(no name)',
      type: contentType,
      size: bytes,
    })),
  }
}

/** Good enough to read; it is shown as text, so nothing depends on what it leaves in. */
function withoutMarkup(html: string): string {
  const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', nbsp: ' ' }
  return html
    .replace(/<(style|script|head)\b[^]*?<\/\1>/gi, '')
    .replace(/<br\b[^>]*>|<\/(p|div|tr|li|h\d)>/gi, '\n')
    .replace(/<[^>]*>/g, '')
    .replace(/&(amp|lt|gt|quot|nbsp);/g, (_, name: string) => entities[name] as string)
    .replace(/\n{3,}/g, '\n\n')
    .trim()
}
