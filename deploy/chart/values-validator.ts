// JSON Schema for tests without Helm: draft-07 as far as the schema of the values uses it, 2020-12 as far as that of the events does.
// A keyword it does not know is an error, so that nothing is taken as checked that is not.
import { isDeepStrictEqual } from 'node:util'
import { typeOf, type JsonSchema } from './values-note.ts'

/** One line for each thing wrong with the value, much as Helm has it: "/edge/replicas: minimum 0". Empty: it fits. */
export function misfits(root: JsonSchema, value: unknown): string[] {
  return [...schemaMisfits(root, root, value, '')]
}

function* schemaMisfits(root: JsonSchema, schema: unknown, value: unknown, path: string): Generator<string> {
  if (schema === true) return
  if (schema === false) return yield `${path}: not allowed`
  const rules = schema as JsonSchema
  for (const [keyword, rule] of Object.entries(rules)) {
    const check = CHECKS[keyword]
    if (check === undefined) throw new Error(`${path}: this validator does not know ${keyword}`)
    yield* check({ root, rules, rule, value, path })
  }
}

interface Check {
  readonly root: JsonSchema
  /** All of the schema that the rule stands in. */
  readonly rules: JsonSchema
  readonly rule: unknown
  readonly value: unknown
  readonly path: string
}

const fits = (root: JsonSchema, schema: unknown, value: unknown) =>
  schemaMisfits(root, schema, value, '').next().done === true

const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/

const nothing = function* (): Generator<string> {}

/** A rule that only says something about values of one kind. */
const about = <T>(is: (value: unknown) => value is T, holds: (value: T, rule: never) => boolean) =>
  function* ({ rule, value, path, rules }: Check): Generator<string> {
    if (!is(value) || holds(value, rule as never)) return
    const keyword = Object.keys(rules).find((key) => rules[key] === rule)
    yield `${path}: ${keyword} ${JSON.stringify(rule)}`
  }

const isText = (value: unknown): value is string => typeof value === 'string'
const isNumber = (value: unknown): value is number => typeof value === 'number'
const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value)
const isMap = (value: unknown): value is Readonly<Record<string, unknown>> => typeOf(value) === 'object'

const CHECKS: Readonly<Record<string, (check: Check) => Generator<string>>> = {
  $schema: nothing,
  $comment: nothing,
  $id: nothing,
  definitions: nothing,
  title: nothing,
  description: nothing,
  default: nothing,
  *$ref({ root, rules, rule, value, path }) {
    // Beside a reference draft-07 takes no notice of anything else.
    if (Object.keys(rules).length > 1) throw new Error(`${path}: a reference is not alone`)
    const name = /^#\/definitions\/(.+)$/.exec(rule as string)?.[1] ?? ''
    const found = (root.definitions as JsonSchema)[name]
    if (found === undefined) throw new Error(`${path}: there is no ${String(rule)}`)
    yield* schemaMisfits(root, found, value, path)
  },
  *type({ rule, value, path }) {
    const types = [rule].flat()
    const type = typeOf(value)
    if (!types.includes(type) && !(type === 'integer' && types.includes('number')))
      yield `${path}: ${type}, not ${types.join(' or ')}`
  },
  *const({ rule, value, path }) {
    if (!isDeepStrictEqual(value, rule)) yield `${path}: must be ${JSON.stringify(rule)}`
  },
  *enum({ rule, value, path }) {
    if (!(rule as unknown[]).includes(value)) yield `${path}: must be one of ${(rule as unknown[]).join(', ')}`
  },
  /** RFC 3339: the only format there is. */
  format: about(isText, (value, rule: string) => rule === 'date-time' && DATE_TIME.test(value)),
  pattern: about(isText, (value, rule: string) => new RegExp(rule).test(value)),
  minLength: about(isText, (value, rule: number) => [...value].length >= rule),
  maxLength: about(isText, (value, rule: number) => [...value].length <= rule),
  minimum: about(isNumber, (value, rule: number) => value >= rule),
  maximum: about(isNumber, (value, rule: number) => value <= rule),
  minItems: about(isList, (value, rule: number) => value.length >= rule),
  maxItems: about(isList, (value, rule: number) => value.length <= rule),
  *items({ root, rule, value, path }) {
    if (isList(value)) for (const [i, item] of value.entries()) yield* schemaMisfits(root, rule, item, `${path}/${i}`)
  },
  *properties({ root, rule, value, path }) {
    if (!isMap(value)) return
    for (const [key, schema] of Object.entries(rule as JsonSchema))
      if (Object.hasOwn(value, key)) yield* schemaMisfits(root, schema, value[key], `${path}/${key}`)
  },
  *additionalProperties({ root, rules, rule, value, path }) {
    if (!isMap(value)) return
    for (const [key, inner] of Object.entries(value))
      if (!Object.hasOwn(rules.properties ?? {}, key)) yield* schemaMisfits(root, rule, inner, `${path}/${key}`)
  },
  *required({ rule, value, path }) {
    if (isMap(value)) for (const key of rule as string[]) if (!Object.hasOwn(value, key)) yield `${path}: lacks ${key}`
  },
  *not({ root, rule, value, path }) {
    if (fits(root, rule, value)) yield `${path}: must not fit ${JSON.stringify(rule)}`
  },
  *allOf({ root, rule, value, path }) {
    for (const schema of rule as unknown[]) yield* schemaMisfits(root, schema, value, path)
  },
  *anyOf({ root, rule, value, path }) {
    if (!(rule as unknown[]).some((schema) => fits(root, schema, value))) yield `${path}: fits none of several`
  },
  *if({ root, rules, rule, value, path }) {
    const branch = fits(root, rule, value) ? rules.then : rules.else
    yield* schemaMisfits(root, branch ?? true, value, path)
  },
  // oxlint-disable-next-line unicorn/no-thenable -- a keyword of the schema
  then: nothing,
  else: nothing,
}
