// `npm run check`: format, types, lint, import directions, metrics and generated files. One line for each check, what is wrong under
// the one that failed, and exit status 1 if any did. All run, so that one pass shows everything.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { checkImports } from './imports.ts'
import { generate, metricsTables, outOfDate, root } from './generate.ts'
import { monitoredExpressions, unknownNames } from './monitored.ts'

interface Check {
  readonly name: string
  /** What to do about it. */
  readonly remedy: string
  /** Resolves with what is wrong; empty = nothing. */
  readonly run: () => Promise<string> | string
}

const checks: readonly Check[] = [
  {
    name: 'format',
    remedy: 'npm run format',
    run: () => tool('prettier', ['--check', '--log-level', 'warn', '--cache', '.'], 'prettier/bin/prettier.cjs'),
  },
  {
    name: 'types',
    remedy: '',
    run: () => tool('tsc', ['-p', 'tsconfig.json', '--pretty', 'false'], 'typescript/bin/tsc'),
  },
  {
    name: 'lint',
    remedy: '',
    run: () => tool('oxlint', ['--type-aware', '--deny-warnings', '--format', 'unix', '.'], 'oxlint/bin/oxlint'),
  },
  { name: 'import directions', remedy: '', run: () => checkImports(root, sources()).join('\n') },
  {
    name: 'metrics of alerts and dashboards',
    remedy: '',
    run: async () => (await unknownNames(monitoredExpressions(root), (await metricsTables()).values())).join('\n'),
  },
  {
    name: 'generated files',
    remedy: 'node deploy/check/generate.ts',
    run: async () => outOfDate(await generate(), root).join('\n'),
  },
]

let failed = 0
for (const { name, remedy, run } of checks) {
  const began = performance.now()
  const wrong = await Promise.resolve()
    .then(run)
    .catch((error: unknown) => String(error instanceof Error ? error.message : error))
  const took = `${((performance.now() - began) / 1000).toFixed(1)} s`
  if (wrong === '') {
    process.stdout.write(`ok      ${name} (${took})\n`)
    continue
  }
  failed++
  process.stdout.write(`FAILED  ${name} (${took})${remedy === '' ? '' : `: ${remedy}`}\n${indent(wrong)}\n`)
}
process.stdout.write(failed === 0 ? 'all checks passed\n' : `${failed} of ${checks.length} checks failed\n`)
process.exitCode = failed === 0 ? 0 : 1

// Runs a tool of node_modules under this very Node; what it says counts only when it fails.
function tool(name: string, args: readonly string[], script: string): Promise<string> {
  const path = join(root, 'node_modules', script)
  if (!existsSync(path)) return Promise.resolve(`${name} is not installed: npm ci`)
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [path, ...args], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    child.stdout.on('data', (data: Buffer) => (output += data.toString()))
    child.stderr.on('data', (data: Buffer) => (output += data.toString()))
    child.once('error', reject)
    child.once('close', (status) => resolve(status === 0 ? '' : output.trim() || `${name} ended with status ${status}`))
  })
}

// What is in the tree or about to be: tracked files, and new ones that are not ignored.
function sources(): string[] {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard', '*.ts', '*.mjs']
  const git = spawnSync('git', args, { cwd: root, encoding: 'utf8' })
  if (git.status !== 0) throw new Error(`git ls-files: ${git.stderr}`)
  return git.stdout.split('\n').filter((file) => file !== '' && existsSync(join(root, file)))
}

function indent(text: string): string {
  return text.replace(/^/gm, '        ')
}
