import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wrongImports } from './imports.ts'

test('the directions of imports hold', () => {
  const table: [file: string, specifier: string, reason: string | undefined][] = [
    ['services/edge/main.ts', '@posthouse/runtime/service', undefined],
    ['services/edge/main.ts', '@posthouse/queue/port', undefined],
    ['services/edge/main.ts', '@posthouse/edge/settings', undefined],
    ['services/edge/main.ts', './settings.ts', undefined],
    ['services/edge/main.ts', 'smtp-server', undefined],
    ['services/edge/main.ts', '@posthouse/delivery/main', 'services/edge must not import services/delivery'],
    ['services/edge/main.ts', '../delivery/main.ts', 'a relative import must stay in its part; name the package'],
    ['services/edge/main.ts', '../../libs/core/retry.ts', 'a relative import must stay in its part; name the package'],
    ['services/edge/main.ts', '@posthouse/core', 'there are no barrel files; name the file'],
    ['services/edge/main.ts', '@nats-io/jetstream', 'only libs/queue speaks to NATS'],
    ['services/edge/main.ts', '@posthouse/testkit/dns', 'the testkit is for tests, loadtest and deploy'],
    ['services/edge/main.test.ts', '@posthouse/testkit/dns', undefined],
    ['libs/queue/jetstream.ts', 'nats', undefined],
    ['libs/queue/jetstream.ts', '@posthouse/core/batch', undefined],
    ['libs/queue/jetstream.ts', '@posthouse/runtime/log', 'libs/queue must not import libs/runtime'],
    ['libs/runtime/log.ts', '@posthouse/core/batch', 'libs/runtime must not import libs/core'],
    ['libs/core/batch.ts', '@posthouse/queue/port', 'libs/core must not import libs/queue'],
    ['libs/core/batch.ts', 'node:net', 'core is pure: no sockets, files or timers'],
    ['libs/core/batch.ts', 'node:fs/promises', 'core is pure: no sockets, files or timers'],
    ['libs/core/batch.ts', 'node:buffer', undefined],
    ['libs/core/batch.test.ts', 'node:fs', undefined],
    ['loadtest/run.ts', '@posthouse/testkit/nats-cluster', undefined],
    ['loadtest/run.ts', '@posthouse/edge/main', 'loadtest must not import services/edge'],
    ['deploy/local/start.ts', '@posthouse/testkit/nats-cluster', undefined],
  ]
  for (const [file, specifier, reason] of table)
    assert.deepEqual(
      wrongImports(file, `// first\nimport { a } from '${specifier}'\n`),
      reason === undefined ? [] : [`${file}:2: '${specifier}': ${reason}`],
    )
})

// In two pieces, so that this file does not seem to import it.
const EDGE = '@posthouse/' + 'edge/a'

test('every way to import is seen', () => {
  const ways = [
    `import '${EDGE}'`,
    `import type { A } from '${EDGE}'`,
    `import {\n  a,\n  b,\n} from '${EDGE}'`,
    `export { a } from '${EDGE}'`,
    `export * from '${EDGE}'`,
    `const a = await import('${EDGE}')`,
    `type A = import('${EDGE}').A`,
    `import a from "${EDGE}"`,
  ]
  for (const way of ways) assert.equal(wrongImports('libs/core/x.ts', `${way}\n`).length, 1, way)
})

test('words that only look like an import are none', () => {
  assert.deepEqual(wrongImports('libs/core/x.ts', `// see what is imported from '${EDGE}'\nconst a = 1\n`), [])
})
