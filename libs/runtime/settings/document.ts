// The settings file: YAML, read down to the paths of a table. A key that is in no row is a complaint, and every complaint
// names its line.
import { LineCounter, isMap, isScalar, isSeq, parseDocument } from 'yaml'
import type { Node } from 'yaml'
import { environmentName, nearest } from './names.ts'
import type { SettingsTable } from './table.ts'

/** What stands at a path, and where: " (edge.yaml:3)". */
export interface Found {
  readonly node: Node | null
  readonly line: string
}

export function readDocument(
  table: SettingsTable,
  file: { readonly name: string; readonly text: string } | undefined,
  errors: string[],
): { found: Map<string, Found>; broken: boolean } {
  const found = new Map<string, Found>()
  if (file === undefined) return { found, broken: false }
  const lines = new LineCounter()
  const document = parseDocument(file.text, { lineCounter: lines, prettyErrors: false })
  const at = (offset: number | undefined) =>
    offset === undefined ? ` (${file.name})` : ` (${file.name}:${lines.linePos(offset).line})`
  for (const error of document.errors) errors.push(`not valid YAML: ${firstLine(error.message)}${at(error.pos[0])}`)
  if (document.errors.length > 0) return { found, broken: true }
  const known = fileKeys(table)
  const walk = (node: unknown, prefix: string): void => {
    if (!isMap(node)) return
    for (const pair of node.items) {
      const name = isScalar(pair.key) ? String(pair.key.value) : String(pair.key)
      const path = prefix + name
      const place = at(isScalar(pair.key) ? pair.key.range?.[0] : undefined)
      const isParent = known.some((key) => key.startsWith(`${path}.`))
      if (known.includes(path)) found.set(path, { node: pair.value as Node | null, line: place })
      else if (isParent && isMap(pair.value)) walk(pair.value, `${path}.`)
      else if (isParent) {
        const empty = pair.value === null || (isScalar(pair.value) && pair.value.value === null)
        if (!empty) errors.push(`${path}: must hold ${childrenOf(known, path).join(', ')}${place}`)
      } else errors.push(unknownKey(table, path, known, place))
    }
  }
  if (document.contents !== null && !isMap(document.contents))
    errors.push(
      `the file must hold settings as "name: value", not ${isSeq(document.contents) ? 'a list' : 'a text'}${at(0)}`,
    )
  walk(document.contents, '')
  return { found, broken: false }
}

// The keys a file may hold: a secret only by the file that holds it.
function fileKeys(table: SettingsTable): string[] {
  return Object.entries(table).map(([path, row]) => (row.type === 'secret' ? `${path}File` : path))
}

function childrenOf(known: readonly string[], path: string): string[] {
  return known.filter((key) => key.startsWith(`${path}.`)).map((key) => key.slice(path.length + 1))
}

function unknownKey(table: SettingsTable, path: string, known: readonly string[], place: string): string {
  if (table[path]?.type === 'secret')
    return `${path}: a secret does not belong in the file; name a file in ${path}File or set ${environmentName(path)}${place}`
  const parents = known.flatMap((key) => key.split('.').map((_, i, parts) => parts.slice(0, i + 1).join('.')))
  const guess = nearest(path, new Set(parents))
  return `${path}: no such setting${guess === undefined ? '' : `; did you mean ${guess}?`}${place}`
}

export function firstLine(text: string): string {
  return text.split('\n', 1)[0]!.replace(/:$/, '')
}
