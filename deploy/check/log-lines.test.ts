import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { root } from './generate.ts'
import { logLines } from './log-lines.ts'

test('the message of a call is its last argument, however it is written', () => {
  const source = `
    log.info({ a: 1 }, 'one')
    this.#options.log.warn(
      { b: f('x, y') },
      "two: it's",
    )
    context.strangersLog.debug({ c }, \`three: \${what}\`)
    log.fatal('four')
    log.error({ d: ')' }, how)
    log.fatal({}, \`\${name}: \${why}\`)
    catalog.info({}, 'no log')`
  assert.deepEqual(
    logLines(source).map(({ level, message }) => `${level} ${message}`),
    ['info one', "warn two: it's", 'debug three:', 'fatal four'],
  )
})

test('docs/logs.md names every line that an edge or a delivery node can log, and no other', () => {
  const page = readFileSync(join(root, 'docs/logs.md'), 'utf8')
  const rows = page.split('\n').filter((line) => /^\| `[^|]*\| *(trace|debug|info|warn|error|fatal)\b/.test(line))
  const named = new Set(
    rows.flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map((match) => match[1])),
  )
  const sources = globSync('{services/edge,services/delivery,libs/queue,libs/runtime}/**/*.ts', { cwd: root }).filter(
    (file) => !/node_modules|\.(test|bench|contract)\.ts$|\/(test|fixtures)\//.test(file),
  )
  const logged = new Set(
    sources.flatMap((file) => logLines(readFileSync(join(root, file), 'utf8')).map((line) => line.message)),
  )
  assert.ok(logged.size > 50)
  // The outcomes, a prefix, and what the log says of itself.
  for (const message of ['delivered', 'deferred', 'bounced', 'expired', 'log lines dropped: nobody reads'])
    logged.add(message)
  if (logged.delete('waiting:')) logged.add('waiting: …')
  assert.deepEqual(
    [...logged].filter((message) => !named.has(message)),
    [],
    'lines that are not in docs/logs.md',
  )
  assert.deepEqual(
    [...named].filter((message) => !logged.has(message ?? '')),
    [],
    'lines of docs/logs.md that nobody writes',
  )
})
