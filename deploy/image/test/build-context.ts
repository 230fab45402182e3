// Which files of the checkout a stage of deploy/Dockerfile copies, as .dockerignore and its COPY lines say: the rules of both
// as far as these two files use them, and an error where they use more.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'

export const root = join(import.meta.dirname, '../../..')

/** What is tracked or about to be, with "/". */
export function checkoutFiles(): string[] {
  const git = spawnSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  })
  if (git.status !== 0) throw new Error(`git ls-files: ${git.stderr}`)
  return git.stdout.split('\n').filter((file) => file !== '' && existsSync(join(root, file)))
}

/** The last line that matches a file or a folder above it decides. */
export function sentToBuilder(dockerignore: string, files: readonly string[]): string[] {
  const rules = dockerignore
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => ({ keeps: line.startsWith('!'), pattern: patternOf(line.replace(/^!/, '')) }))
  return files.filter((file) => {
    const parts = file.split('/')
    const paths = parts.map((_, index) => parts.slice(0, index + 1).join('/'))
    return rules.findLast(({ pattern }) => paths.some((path) => pattern.test(path)))?.keeps ?? true
  })
}

function patternOf(glob: string): RegExp {
  if (/[?[\]\\]/.test(glob)) throw new Error(`.dockerignore: ${glob}: not understood here`)
  const text = glob
    .replace(/^\/|\/$/g, '')
    .replaceAll('.', '\\.')
    .replaceAll('**/', '\0')
    .replaceAll('*', '[^/]*')
    .replaceAll('\0', '(?:.*/)?')
  return new RegExp(`^${text}$`)
}

interface Stage {
  readonly name: string
  readonly from: string
  readonly lines: readonly string[]
}

export function stagesOf(dockerfile: string): Stage[] {
  const lines = dockerfile
    .split('\n')
    .filter((line) => !/^\s*#/.test(line))
    .join('\n')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
  const stages: { name: string; from: string; lines: string[] }[] = []
  for (const line of lines) {
    const [, from, name] = /^FROM (\S+) AS (\S+)$/.exec(line) ?? []
    if (from !== undefined && name !== undefined) stages.push({ name, from, lines: [] })
    else stages.at(-1)?.lines.push(line)
  }
  return stages
}

/** What comes into the stage from the checkout, where the stages it is built on have it from there too: path by path in the image. */
export function copiedInto(stages: readonly Stage[], name: string, sent: readonly string[]): Map<string, string> {
  const stage = stages.find((one) => one.name === name)
  if (stage === undefined) return new Map()
  const files = copiedInto(stages, stage.from, sent)
  for (const line of stage.lines.filter((one) => one.startsWith('COPY ') && !one.startsWith('COPY --from='))) {
    const words = line.split(/\s+/).slice(1)
    if (words.some((word) => word.startsWith('-'))) throw new Error(`${line}: not understood here`)
    const target = words.pop() ?? ''
    for (const source of words) {
      const found = sent.filter((file) => file === source || file.startsWith(`${source}/`))
      if (found.length === 0) throw new Error(`${line}: ${source} is not sent to the builder`)
      for (const file of found) {
        const below =
          file === source ? (/(^|\/)\.?$/.test(target) ? posix.basename(file) : '') : posix.relative(source, file)
        files.set(posix.join(target, below), file)
      }
    }
  }
  return files
}

export const read = (file: string): string => readFileSync(join(root, file), 'utf8')
