/**
 * Queue ids: short, unique over the cluster, safe in log lines, headers and subjects. Eight characters say which process
 * made it (40 random bits of its incarnation), the rest counts. Thirteen characters for the first 33 million.
 */

// Crockford's base32: no I, L, O, U, so that an id read over the phone survives.
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const counterWidth = 5

/** `random` gives the incarnation: five bytes that no other process has. */
export function queueIds(random: Uint8Array): () => string {
  if (random.length !== 5) throw new RangeError('an incarnation is five random bytes')
  const incarnation = base32(BigInt('0x' + Buffer.from(random).toString('hex')), 8)
  let counter = 0
  // The upper digits change once in 1024 ids.
  let upper = ''
  return () => {
    const low = counter % 1024
    if (low === 0) upper = incarnation + base32(BigInt(Math.floor(counter / 1024)), counterWidth - 2)
    counter += 1
    return upper + alphabet.charAt(low >> 5) + alphabet.charAt(low & 31)
  }
}

function base32(value: bigint, width: number): string {
  let digits = ''
  for (let rest = value; rest > 0n; rest >>= 5n) digits = alphabet.charAt(Number(rest & 31n)) + digits
  return digits.padStart(width, '0')
}

export function isQueueId(text: string): boolean {
  return /^[0-9A-HJKMNP-TV-Z]{13,20}$/.test(text)
}
