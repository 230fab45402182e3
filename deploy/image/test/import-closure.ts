// All files of the project that a program loads, found by following its imports from its main file; and the packages it names.
import { dirname, posix } from 'node:path'

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\b([^'"`;]*?)\bfrom\s*['"]([^'"]+)['"]|(typeof )?\bimport\s*\(\s*['"]([^'"]+)['"]|(?:^|\n)\s*import\s*['"]([^'"]+)['"]/g

export interface Closure {
  readonly files: ReadonlySet<string>
  /** By name, who names it first. */
  readonly packages: ReadonlyMap<string, string>
}

/** `types`: also what is only imported for its types, which Node does not load. */
export function closureOf(mains: readonly string[], read: (file: string) => string, types: boolean): Closure {
  const files = new Set<string>()
  const packages = new Map<string, string>()
  const open = [...mains]
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (files.has(file)) continue
    files.add(file)
    if (!/\.(ts|mjs)$/.test(file)) continue
    for (const [, clause = '', from, typeOf, dynamic, bare] of read(file).matchAll(IMPORT)) {
      const specifier = from ?? dynamic ?? bare ?? ''
      if (!types && (/^\s*type\b/.test(clause) || typeOf !== undefined)) continue
      const target = targetOf(file, specifier)
      if (target !== undefined) open.push(target)
      else if (!specifier.startsWith('node:')) {
        const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
        if (!packages.has(name)) packages.set(name, file)
      }
    }
  }
  return { files, packages }
}

function targetOf(file: string, specifier: string): string | undefined {
  if (specifier.startsWith('.')) return posix.join(dirname(file), specifier)
  const [, name, path] = /^@posthouse\/([^/]+)\/(.+)$/.exec(specifier) ?? []
  if (name === undefined) return undefined
  const part = ['core', 'queue', 'runtime', 'testkit'].includes(name) ? `libs/${name}` : name
  return part === 'loadtest' || part.startsWith('libs/') ? `${part}/${path}.ts` : `services/${part}/${path}.ts`
}
