/** xtext (RFC 3461 section 4): "+" and two upper-case hex digits stand for one byte, here of UTF-8. */
export function decodeXtext(text: string): string {
  if (!text.includes('+')) return text
  const bytes: number[] = []
  for (let i = 0; i < text.length; i += 1) {
    const hex = text[i] === '+' ? /^[0-9A-F]{2}/.exec(text.slice(i + 1, i + 3))?.[0] : undefined
    if (hex === undefined) bytes.push(...Buffer.from(text.charAt(i)))
    else {
      bytes.push(Number.parseInt(hex, 16))
      i += 2
    }
  }
  return Buffer.from(bytes).toString('utf8')
}
