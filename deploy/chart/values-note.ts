// The notes of values.yaml ("@ {minimum: 1}"): which words of JSON Schema they may use, two words of our own, and what is wrong
// with one. Two of Helm's validators read the result, so only what both know is allowed, and no pattern may look around.
import { formats, type Format } from '@posthouse/runtime/settings/formats'

/** A schema, or a part of one, in words of JSON Schema draft-07. */
export interface JsonSchema {
  readonly [keyword: string]: unknown
}

/**
 * The words of our own: `settings: edge` is any setting of that service that the chart does not set itself; `form: cidr` a form
 * that settings know (libs/runtime/settings/formats.ts).
 */
export type Note = JsonSchema

const TYPES = ['string', 'integer', 'number', 'boolean', 'object', 'array', 'null']

const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0
const isObject = (value: unknown): value is JsonSchema =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isTexts = (value: unknown) => Array.isArray(value) && value.every((item) => typeof item === 'string')

/** What the value of each word must be; those with schemas in them are looked into below. */
const WORDS: Readonly<Record<string, { readonly fits: (value: unknown) => boolean; readonly must: string }>> = {
  type: {
    must: `one or several of ${TYPES.join(', ')}`,
    fits: (value) => {
      const all: unknown[] = Array.isArray(value) ? value : [value]
      return all.length > 0 && all.every((type) => TYPES.includes(type as string))
    },
  },
  enum: { must: 'a list', fits: (value) => Array.isArray(value) && value.length > 0 },
  pattern: { must: 'a pattern that Go knows, too', fits: (value) => typeof value === 'string' && isPattern(value) },
  minimum: { must: 'a number', fits: (value) => typeof value === 'number' },
  maximum: { must: 'a number', fits: (value) => typeof value === 'number' },
  minLength: { must: 'a count', fits: isCount },
  maxLength: { must: 'a count', fits: isCount },
  minItems: { must: 'a count', fits: isCount },
  maxItems: { must: 'a count', fits: isCount },
  required: { must: 'a list of names', fits: isTexts },
  items: { must: 'a schema', fits: isObject },
  properties: { must: 'a map of schemas', fits: (value) => isObject(value) && Object.values(value).every(isObject) },
  additionalProperties: {
    must: 'a schema, true or false',
    fits: (value) => typeof value === 'boolean' || isObject(value),
  },
  description: { must: 'a text', fits: (value) => typeof value === 'string' },
  form: { must: `one of ${Object.keys(formats).join(', ')}`, fits: isForm },
  settings: { must: 'the name of a service', fits: (value) => typeof value === 'string' },
}

/** One line for each thing wrong. */
export function checkNote(note: Note): string[] {
  return Object.entries(note).flatMap(([word, value]) => {
    const known = Object.hasOwn(WORDS, word) ? WORDS[word] : undefined
    if (known === undefined) return [`${word}: no such word; there are ${Object.keys(WORDS).join(', ')}`]
    if (!known.fits(value)) return [`${word}: must be ${known.must}, not ${JSON.stringify(value)}`]
    return innerSchemas(word, value).flatMap((inner) => {
      const wrong = 'settings' in inner ? ['settings: stands at the value itself only'] : checkNote(inner)
      return wrong.map((what) => `${word}: ${what}`)
    })
  })
}

/** The schemas that stand in the value of a word. */
function innerSchemas(word: string, value: unknown): JsonSchema[] {
  if (word === 'properties') return Object.values(value as Readonly<Record<string, JsonSchema>>)
  return (word === 'items' || word === 'additionalProperties') && isObject(value) ? [value] : []
}

export function isForm(value: unknown): value is Format {
  return typeof value === 'string' && Object.hasOwn(formats, value)
}

/** The type that JSON Schema has for the value. */
export function typeOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return typeof value === 'number' ? (Number.isInteger(value) ? 'integer' : 'number') : typeof value
}

// Go's regular expressions have no lookaround and no back references, and so has no pattern of ours.
function isPattern(text: string): boolean {
  if (/\(\?(?!:)|\\[1-9k]/.test(text)) return false
  try {
    new RegExp(text)
    return true
  } catch {
    return false
  }
}
