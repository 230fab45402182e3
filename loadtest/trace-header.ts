// Takes off what a relay puts on top of a message, and nothing else: so many `Received:` fields with their folded lines. A
// `Received:` of an earlier hop that came with the message stays, and one that is missing is said to be missing.

const LF = 0x0a
const SPACE = 0x20
const TAB = 0x09

export type Stripped = { readonly ok: true; readonly content: Buffer } | { readonly ok: false; readonly why: string }

export function stripTraceHeaders(content: Buffer, count: number): Stripped {
  let rest = content
  for (let done = 0; done < count; done++) {
    if (rest.subarray(0, 9).toString('latin1').toLowerCase() !== 'received:') {
      return { ok: false, why: `${done} of ${count} Received fields on top` }
    }
    rest = rest.subarray(endOfField(rest))
  }
  return { ok: true, content: rest }
}

/** Where the first header field ends: after the last of its folded lines. */
function endOfField(bytes: Buffer): number {
  let at = bytes.indexOf(LF)
  while (at >= 0 && (bytes[at + 1] === SPACE || bytes[at + 1] === TAB)) at = bytes.indexOf(LF, at + 1)
  return at < 0 ? bytes.length : at + 1
}
