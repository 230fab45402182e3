// The few header fields that a list of messages shows, from the first bytes of a message. Lenient: what cannot be read is
// shown as it is.

export interface HeaderSummary {
  readonly subject: string
  /** Queue id that the topmost Received field names. */
  readonly queueId: string | undefined
}

/** The header fields in order, unfolded (RFC 5322, section 2.2.3); stops at the first empty line. */
export function headerFields(head: Uint8Array): [name: string, value: string][] {
  const fields: [string, string][] = []
  for (const line of Buffer.from(head).toString('utf8').split(/\r?\n/)) {
    if (line === '') break
    const last = fields.at(-1)
    if (/^[ \t]/.test(line) && last !== undefined) last[1] += line
    else {
      const colon = line.indexOf(':')
      if (colon > 0) fields.push([line.slice(0, colon).trim(), line.slice(colon + 1).trim()])
    }
  }
  return fields
}

/** Encoded words (RFC 2047) as text; one in an unknown charset stays as it is. */
export function decodeWords(text: string): string {
  const joined = text.replace(/\?=\s+=\?/g, '?==?')
  return joined.replace(
    /=\?([^?*]+)(?:\*[^?]*)?\?([bq])\?([^?]*)\?=/gi,
    (whole, charset: string, how: string, data: string) => {
      const bytes =
        how.toLowerCase() === 'b'
          ? Buffer.from(data, 'base64')
          : Buffer.from(
              data
                .replaceAll('_', ' ')
                .replace(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))),
              'latin1',
            )
      try {
        return new TextDecoder(charset).decode(bytes)
      } catch {
        return whole
      }
    },
  )
}

export function summarise(head: Uint8Array): HeaderSummary {
  const fields = headerFields(head)
  const first = (name: string) => fields.find(([field]) => field.toLowerCase() === name)?.[1]
  return {
    subject: decodeWords(first('subject') ?? ''),
    queueId: /\bid\s+([\w.-]+)/.exec(first('received') ?? '')?.[1],
  }
}
