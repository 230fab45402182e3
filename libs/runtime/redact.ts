// Keeps secrets and mail bodies out of what is logged, at any depth, by the name of the key: passwords, hashes, tokens and
// the like become "[redacted]", bodies and bytes their length. Nothing is copied unless something had to be replaced.

const SECRET =
  /(password|passwd|passphrase|secret|token|authorization|credentials?|privatekey|cookie|hash)$|^(pass|auth)$/i
const BODY = /^(body|content|raw|chunk|chunks|html|text|attachments?)$/i
const MAX_DEPTH = 6

type Kind = 'secret' | 'body' | 'plain'

// Keys are few and repeat in every line: one look-up instead of two regular expressions.
const kinds = new Map<string, Kind>()

function kindOf(key: string): Kind {
  let kind = kinds.get(key)
  if (kind === undefined) {
    kind = SECRET.test(key) ? 'secret' : BODY.test(key) ? 'body' : 'plain'
    if (kinds.size < 2000) kinds.set(key, kind)
  }
  return kind
}

/** The object itself when nothing in it is secret, else a copy with the secrets replaced. Errors become plain objects. */
export function redact<T extends object>(fields: T): T {
  return redactObject(fields as Readonly<Record<string, unknown>>, 0) as T
}

function redactObject(object: Readonly<Record<string, unknown>>, depth: number): Record<string, unknown> {
  let copy: Record<string, unknown> | undefined
  for (const key in object) {
    const value = object[key]
    if (value === undefined || value === null || typeof value === 'boolean') continue
    const kind = kindOf(key)
    let clean: unknown = value
    if (kind === 'secret') clean = '[redacted]'
    else if (kind === 'body') clean = size(value)
    else if (typeof value === 'object') clean = redactValue(value, depth + 1)
    if (clean === value) continue
    copy ??= { ...object }
    copy[key] = clean
  }
  return copy ?? object
}

function redactValue(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Date) return value
  if (ArrayBuffer.isView(value)) return size(value)
  if (value instanceof Error) return plainError(value, depth)
  if (depth > MAX_DEPTH) return '[too deep]'
  if (!Array.isArray(value)) return redactObject(value as Readonly<Record<string, unknown>>, depth)
  let copy: unknown[] | undefined
  for (let i = 0; i < value.length; i++) {
    const clean = redactValue(value[i], depth + 1)
    if (clean === value[i]) continue
    copy ??= [...(value as unknown[])]
    copy[i] = clean
  }
  return copy ?? value
}

// Enumerable properties of an error may hold anything a library put there: they are redacted like the rest.
function plainError(error: Error, depth: number): unknown {
  if (depth > MAX_DEPTH) return error.message
  const own = redactObject(error as unknown as Readonly<Record<string, unknown>>, depth)
  const plain: Record<string, unknown> = { ...own, type: error.name, message: error.message, stack: error.stack }
  if (error.cause !== undefined) plain['cause'] = redactValue(error.cause, depth + 1)
  return plain
}

function size(value: unknown): string {
  if (typeof value === 'string') return `[${value.length} characters]`
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`
  return '[left out]'
}
