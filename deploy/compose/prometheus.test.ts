// deploy/compose/prometheus.yml: Prometheus itself takes it, and it looks at everything that runs.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { debianProgram } from '@posthouse/testkit/debian-program'
import { parse } from 'yaml'
import { COMPOSE_FILE, readCompose } from './test/compose-file.ts'
import { HOSTNAME } from './test/copied-folder.ts'

const FILE = join(import.meta.dirname, 'prometheus.yml')

test('Prometheus takes the file', async (t) => {
  const promtool = await debianProgram('promtool', 'prometheus', (line) => t.diagnostic(line))
  const check = spawnSync(promtool, ['check', 'config', FILE], { encoding: 'utf8' })
  assert.equal(check.status, 0, check.stdout + check.stderr)
})

test('Prometheus has the alerts where it looks for them', () => {
  const mounts = readCompose(COMPOSE_FILE, { POSTHOUSE_HOSTNAME: HOSTNAME }).services.get('prometheus')?.mounts ?? []
  const { rule_files: files } = parse(readFileSync(FILE, 'utf8')) as { rule_files: string[] }
  const [config] = mounts.filter(({ source }) => source === FILE)
  assert.ok(config)
  assert.equal(files.length, 1)
  const inside = new Map(mounts.map(({ source, target }) => [target, source]))
  for (const file of files) assert.equal(inside.get(join(dirname(config.target), file)), join(dirname(FILE), file))
})

test('everything that runs is looked at, by a name that Prometheus can reach', () => {
  const { services } = readCompose(COMPOSE_FILE, { POSTHOUSE_HOSTNAME: HOSTNAME })
  const { scrape_configs: jobs } = parse(readFileSync(FILE, 'utf8')) as {
    scrape_configs: { job_name: string; static_configs: { targets: string[] }[] }[]
  }
  const targets = jobs.flatMap(({ static_configs }) => static_configs.flatMap((config) => config.targets))
  const looked = targets.map((target) => target.replace(/:\d+$/, '')).filter((name) => name !== '127.0.0.1')
  // The NATS servers by the admin node; Prometheus itself by loopback; the command line ends at once.
  const running = [...services.keys()].filter((name) => !/^(nats-\d|prometheus|posthouse)$/.test(name))
  assert.deepEqual(looked.toSorted(), running.toSorted())
  const own = services.get('prometheus')?.networks ?? []
  for (const name of looked) {
    assert.ok(
      services.get(name)?.networks.some((network) => network === 'watch' && own.includes(network)),
      name,
    )
  }
  for (const target of targets.filter((one) => /^(edge|delivery)/.test(one))) assert.match(target, /:8080$/)
})
