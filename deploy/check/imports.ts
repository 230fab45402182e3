// The directions in which the parts may import each other, and who may use which package. oxlint's rules know patterns of
// specifiers, not which part a file belongs to; this does, in one pass over the sources.
//
//   services -> {queue, runtime, core} · queue -> core · runtime and core import no other lib · services never each other
//   testkit only by tests, loadtest and deploy · NATS only in libs/queue (and the testkit) · core: nothing that does I/O
import { readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'

const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  'libs/core': [],
  'libs/runtime': [],
  'libs/queue': ['libs/core'],
  'libs/testkit': ['libs/core', 'libs/queue'],
  'services/edge': ['libs/queue', 'libs/runtime', 'libs/core'],
  'services/delivery': ['libs/queue', 'libs/runtime', 'libs/core'],
  'services/admin': ['libs/queue', 'libs/runtime', 'libs/core'],
  'services/cli': ['libs/queue', 'libs/runtime', 'libs/core'],
  loadtest: ['libs/queue', 'libs/runtime', 'libs/core', 'libs/testkit'],
  deploy: ['libs/queue', 'libs/runtime', 'libs/core', 'libs/testkit'],
}

const NATS = /^(nats$|@nats-io\/)/
const INPUT_OUTPUT = /^node:(net|tls|dgram|dns|http|https|http2|fs|child_process|cluster|worker_threads|timers)(\/|$)/

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]|\bimport\s*\(\s*['"]([^'"]+)['"]|(?:^|\n)\s*import\s*['"]([^'"]+)['"]/g

/** What is wrong with the imports of one file: a line for each. */
export function wrongImports(file: string, source: string): string[] {
  const part = partOf(file)
  if (part === undefined) return []
  const isTest = /\.(test|bench|contract)\.ts$|\/(test|fixtures|golden)\//.test(file)
  const wrong: string[] = []
  for (const match of source.matchAll(IMPORT)) {
    const specifier = match[1] ?? match[2] ?? match[3] ?? ''
    const line = source.slice(0, match.index + match[0].indexOf(specifier)).split('\n').length
    const reason = why(file, part, isTest, specifier)
    if (reason !== undefined) wrong.push(`${file}:${line}: '${specifier}': ${reason}`)
  }
  return wrong
}

function why(file: string, part: string, isTest: boolean, specifier: string): string | undefined {
  if (specifier.startsWith('.')) {
    const target = partOf(posix.join(dirname(file), specifier))
    return target === part ? undefined : 'a relative import must stay in its part; name the package'
  }
  if (specifier.startsWith('@posthouse/')) {
    const [, name = '', ...path] = specifier.split('/')
    const target = ['core', 'queue', 'runtime', 'testkit'].includes(name) ? `libs/${name}` : `services/${name}`
    if (path.length === 0) return 'there are no barrel files; name the file'
    if (target === part || ALLOWED[part]?.includes(target)) return undefined
    if (target === 'libs/testkit') return isTest ? undefined : 'the testkit is for tests, loadtest and deploy'
    return `${part} must not import ${target}`
  }
  if (NATS.test(specifier) && part !== 'libs/queue' && part !== 'libs/testkit' && !isTest)
    return 'only libs/queue speaks to NATS'
  if (part === 'libs/core' && !isTest && INPUT_OUTPUT.test(specifier))
    return 'core is pure: no sockets, files or timers'
  return undefined
}

function partOf(file: string): string | undefined {
  return Object.keys(ALLOWED).find((part) => file.startsWith(`${part}/`))
}

/** All of it, over the files given (paths relative to the root, with "/"). */
export function checkImports(root: string, files: readonly string[]): string[] {
  return files.flatMap((file) => wrongImports(file, readFileSync(join(root, file), 'utf8')))
}
