// The named forms of texts (libs/runtime/settings/formats.ts) as conditions in a schema. They take what the loader takes, and but
// for URLs nothing else. Two validators read them, one in Go and one in JavaScript: no lookaround, ASCII classes only.
import type { Format } from '@posthouse/runtime/settings/formats'
import type { JsonSchema } from './values-note.ts'

const OCTET = '(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])'
const V4 = `(${OCTET}\\.){3}${OCTET}`
const GROUP = '[0-9A-Fa-f]{1,4}'
const V6 = ipv6()
const ZONE = '(%[0-9A-Za-z.:-]+)?'
const IP = `(${V4}|${V6}${ZONE})`

const LABEL = '[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?'
const NAME = `${LABEL}(\\.${LABEL})*`
/** "1.2.3" is no host, but a slip in an address. */
const NUMBERS = '[0-9.]+'

/** At most five digits, zeros in front included. */
const PORT = portNumber()

const text = (pattern: string): JsonSchema => ({ type: 'string', pattern: `^${pattern}$` })

/** The condition under which a text has the form. */
export const formSchemas: Readonly<Record<Format, JsonSchema>> = {
  ip: text(IP),
  host: {
    type: 'string',
    anyOf: [{ pattern: `^${IP}$` }, { maxLength: 253, pattern: `^${NAME}$`, not: { pattern: `^${NUMBERS}$` } }],
  },
  'host:port': {
    type: 'string',
    anyOf: [
      { pattern: `^(${V4}|\\[${V6}\\]):${PORT}$` },
      {
        allOf: [{ pattern: `^${NAME}:${PORT}$` }, { pattern: '^[^:]{1,253}:' }],
        not: { pattern: `^${NUMBERS}:` },
      },
    ],
  },
  cidr: text(
    `(${V4}(/(0{0,2}[0-9]|0?[12][0-9]|0?3[0-2]))?|${V6}${ZONE}(/(0{0,2}[0-9]|0?[0-9]{2}|1[01][0-9]|12[0-8]))?)`,
  ),
  // What makes a URL is more than a pattern can say. Like browsers, the loader passes over blanks in front and line ends within.
  url: { type: 'string', pattern: `^[\\x00-\\x20]*${[...'http'].map(anyCase).join('')}(${anyCase('s')})?:` },
  name: text('[A-Za-z0-9][A-Za-z0-9_.-]{0,62}'),
  path: text('[^\\x00]+'),
}

// Eight groups, or fewer with one "::" for the rest; the last two may be written as IPv4.
function ipv6(): string {
  const groups = (count: number) => (count === 1 ? GROUP : `${GROUP}(:${GROUP}){${count - 1}}`)
  const upTo = (count: number) => (count === 1 ? `(${GROUP})?` : `(${GROUP}(:${GROUP}){0,${count - 1}})?`)
  const ways = [`(${GROUP}:){7}${GROUP}`, `(${GROUP}:){6}${V4}`]
  for (let left = 0; left <= 7; left++) {
    const head = left === 0 ? '::' : `${groups(left)}::`
    if (left < 7) ways.push(`${head}${upTo(7 - left)}`)
    else ways.push(head)
    if (left <= 5) ways.push(`${head}(${GROUP}:){0,${5 - left}}${V4}`)
  }
  return `(${ways.join('|')})`
}

function portNumber(): string {
  const large = ['6553[0-5]', '655[0-2][0-9]', '65[0-4][0-9]{2}', '6[0-4][0-9]{3}', '[1-5][0-9]{4}']
  const small = [1, 2, 3, 4].map((digits) => `0{0,${5 - digits}}[1-9]${digits === 1 ? '' : `[0-9]{${digits - 1}}`}`)
  return `(${[...large, ...small].join('|')})`
}

function anyCase(letter: string): string {
  return `[${letter.toUpperCase()}${letter}][\\t\\n\\r]*`
}
