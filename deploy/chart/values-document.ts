// helm/posthouse/values.yaml as the tree of values that it documents. What stands directly above a key is its documentation;
// a line of it that begins with "@" is a note for the schema. A value whose schema cannot be told is a complaint, each one
// line that names its place. Keys inside of a free map (labels, resources) are its user's, not values of the chart.
import { isMap, isScalar, LineCounter, parse, parseDocument, type Pair, type YAMLMap } from 'yaml'
import { checkNote, type Note } from './values-note.ts'

export interface ChartValue {
  /** "edge.tls.existingSecret" */
  readonly path: string
  readonly key: string
  /** One paragraph; empty if nothing stands above the key. */
  readonly documentation: string
  readonly note: Note
  /** As the file has it. */
  readonly default: unknown
  /** Empty: a value that is set as a whole. */
  readonly children: readonly ChartValue[]
}

export interface ValuesDocument {
  readonly values: readonly ChartValue[]
  readonly complaints: readonly string[]
}

/** `name`: how the file is called in complaints. */
export function readValues(text: string, name: string): ValuesDocument {
  const counter = new LineCounter()
  const document = parseDocument(text, { lineCounter: counter, prettyErrors: false })
  const complaints = document.errors.map(({ message, pos }) => `${name}:${counter.linePos(pos[0]).line}: ${message}`)
  if (complaints.length > 0) return { values: [], complaints }
  const { contents } = document
  if (!isMap(contents)) return { values: [], complaints: [`${name}:1: must be a map of values`] }
  const reader = new Reader(text.split('\n'), counter, name)
  const values = reader.children(contents, '')
  return { values, complaints: [...reader.complaints, ...reader.strayNotes()] }
}

interface Above {
  readonly documentation: string
  readonly note: Note
}

class Reader {
  readonly complaints: string[] = []
  readonly #lines: readonly string[]
  readonly #counter: LineCounter
  readonly #name: string
  readonly #read = new Set<number>()

  constructor(lines: readonly string[], counter: LineCounter, name: string) {
    this.#lines = lines
    this.#counter = counter
    this.#name = name
  }

  children(map: YAMLMap, parent: string): ChartValue[] {
    return map.items.map((pair) => this.#value(pair, parent))
  }

  /** Notes that belong to no key: there is a line between, or the key is no value of the chart. */
  strayNotes(): string[] {
    return this.#lines.flatMap((text, line) =>
      isNote(commentOf(text) ?? '') && !this.#read.has(line)
        ? [`${this.#name}:${line + 1}: the note stands above no value`]
        : [],
    )
  }

  #value(pair: Pair, parent: string): ChartValue {
    const key = isScalar(pair.key) ? String(pair.key.value) : ''
    const offset = isScalar(pair.key) ? (pair.key.range?.[0] ?? 0) : 0
    const { line, col } = this.#counter.linePos(offset)
    const complain = (what: string) => this.complaints.push(`${this.#name}:${line}: ${what}`)
    const path = parent === '' ? key : `${parent}.${key}`
    if (!/^[a-z][A-Za-z0-9]*$/.test(key)) complain(`${path}: a name of letters and digits, please`)
    const { documentation, note } = this.#above(line - 1, col - 1)
    const value: unknown = pair.value === null ? null : (pair.value as { toJSON(): unknown }).toJSON()
    const free = 'additionalProperties' in note || 'properties' in note || 'settings' in note
    if (isMap(pair.value) && pair.value.items.length > 0 && !free) {
      if (Object.keys(note).length > 0) complain(`${path}: has values of its own, which would have the notes`)
      return { path, key, documentation, note, default: value, children: this.children(pair.value, path) }
    }
    if (typeof value === 'object' && value !== null && !Array.isArray(value) && !free)
      complain(`${path}: what may be in it? @ {additionalProperties: …}`)
    if (Array.isArray(value) && !('items' in note)) complain(`${path}: a list of what? @ {items: …}`)
    if (value === null && !('type' in note)) complain(`${path}: null, or else what? @ {type: […, 'null']}`)
    return { path, key, documentation, note, default: value, children: [] }
  }

  // Upwards from the key, as long as there are comments at its own depth.
  #above(keyLine: number, depth: number): Above {
    let first = keyLine
    while (
      first > 0 &&
      this.#lines[first - 1]!.indexOf('#') === depth &&
      commentOf(this.#lines[first - 1]!) !== undefined
    )
      first--
    const words: string[] = []
    let note: Note = {}
    for (let line = first; line < keyLine; line++) {
      this.#read.add(line)
      const comment = commentOf(this.#lines[line]!)!
      if (!isNote(comment)) words.push(comment)
      else note = { ...note, ...this.#note(comment.slice(1).trim(), line) }
    }
    return { documentation: words.join(' ').trim(), note }
  }

  #note(text: string, line: number): Note {
    const complain = (what: string) => this.complaints.push(`${this.#name}:${line + 1}: ${what}`)
    let note: unknown
    try {
      note = parse(text) as unknown
    } catch (error) {
      complain(`the note is not valid YAML: ${(error as Error).message.split('\n', 1)[0]}`)
      return {}
    }
    if (!text.startsWith('{') || typeof note !== 'object' || note === null) {
      complain('a note is a map in braces: @ {minimum: 1}')
      return {}
    }
    checkNote(note as Note).forEach(complain)
    return note as Note
  }
}

function commentOf(line: string): string | undefined {
  return /^\s*# ?(.*)$/.exec(line)?.[1]
}

function isNote(comment: string): boolean {
  return comment.startsWith('@')
}
