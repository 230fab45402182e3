// Durations ("1h30m") and sizes ("64MiB") as people write them: both directions, and undefined for anything doubtful.

const MILLISECONDS = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const
const BYTES = { TiB: 2 ** 40, GiB: 2 ** 30, MiB: 2 ** 20, KiB: 2 ** 10, B: 1 } as const

/** Milliseconds, or undefined when the text is no duration with units, largest first. */
export function parseDuration(text: string): number | undefined {
  const match = /^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?(?:(\d+)ms)?$/.exec(text)
  if (!match || text === '') return undefined
  const [, d = '0', h = '0', m = '0', s = '0', ms = '0'] = match
  return Math.round(
    Number(d) * MILLISECONDS.d +
      Number(h) * MILLISECONDS.h +
      Number(m) * MILLISECONDS.m +
      Number(s) * MILLISECONDS.s +
      Number(ms),
  )
}

export function formatDuration(milliseconds: number): string {
  if (milliseconds === 0) return '0s'
  let rest = milliseconds
  let text = ''
  for (const [unit, size] of Object.entries(MILLISECONDS)) {
    const count = Math.floor(rest / size)
    if (count > 0) text += `${count}${unit}`
    rest -= count * size
  }
  return text
}

/** Bytes, or undefined when the text is no size with a unit (B, KiB, MiB, GiB, TiB). */
export function parseBytes(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?) ?(B|KiB|MiB|GiB|TiB)$/.exec(text)
  if (!match) return undefined
  const bytes = Number(match[1]) * BYTES[match[2] as keyof typeof BYTES]
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

export function formatBytes(bytes: number): string {
  for (const [unit, size] of Object.entries(BYTES))
    if (bytes >= size && bytes % size === 0) return `${bytes / size}${unit}`
  return `${bytes}B`
}
