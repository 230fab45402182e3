// The settings that the chart renders are taken by the services they are for, and the configuration of the NATS servers by
// nats-server, under all the values of scenarios.ts; and what the values say arrives there.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { after, before, describe, test } from 'node:test'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { parse } from 'yaml'
import { requireNatsServer } from '@posthouse/testkit/nats-binary'
import { checkoutRoot } from '@posthouse/testkit/tool'
import { temporaryFolder, type TemporaryFolder } from '@posthouse/testkit/temporary-folder'
import { TlsAuthority } from '@posthouse/testkit/tls-authority'
import { layOut } from './laid-out.ts'
import { contentsOf, labelsOf, ofKind, workloads, type Rendering } from './manifest.ts'
import { mountedFiles } from './mounted-files.ts'
import { renderScenario, scenarios } from './scenarios.ts'

interface Ended {
  readonly status: number | null
  readonly output: string
  readonly errors: string
}

async function run(program: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<Ended> {
  const child = spawn(program, args, { env: { ...env, PATH: process.env['PATH'] }, stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  const [status, output, errors] = await Promise.all([ended, text(child.stdout), text(child.stderr)])
  return { status, output, errors }
}

/** What was asked already, by everything that the answer depends on. */
const asked = new Map<string, Promise<Ended>>()

let folder: TemporaryFolder
/** For Secrets that the user or cert-manager would make. */
let pem: Readonly<Record<string, string>>

before(async () => {
  folder = await temporaryFolder('settings')
  const authority = await TlsAuthority.create(folder.path)
  const { cert, key } = await authority.issue(['nats'])
  pem = { 'ca.crt': authority.ca, 'tls.crt': cert, 'tls.key': key }
})
after(() => folder.remove())

async function check(component: string, rendering: Rendering, at: string): Promise<Ended> {
  const template = workloads(rendering).find(
    (each) => each.isLasting && labelsOf(each.template)['app.kubernetes.io/component'] === component,
  )?.template
  const container = template?.spec.containers[0]
  if (template === undefined || container === undefined) return { status: 0, output: '', errors: '' }
  const fields = { 'metadata.name': `mail-${component}-0`, 'status.hostIPs': '10.98.0.11,fd98::11' }
  const place = await layOut(container, template, rendering, {
    folder: join(at, component),
    fields,
    secret: (key) => pem[key] ?? 'a-password-of-the-user',
  })
  const [program, ...rest] = place.words
  if (component === 'nats') {
    assert.equal(program, 'nats-server')
    return run(requireNatsServer().path, ['-t', ...rest], place.env)
  }
  assert.equal(program, component)
  const settings = mountedFiles(container, template, rendering).files.find(({ path }) =>
    path.endsWith(`/${component}.yaml`),
  )
  const key = JSON.stringify([component, settings?.content, container.env])
  const main = join(checkoutRoot(), 'services', component, 'main.ts')
  const answer = asked.get(key) ?? run(process.execPath, [main, ...rest, '--print-settings'], place.env)
  asked.set(key, answer)
  return answer
}

describe('settings and NATS configuration are good with', { concurrency: 2 }, () => {
  for (const [index, each] of scenarios.entries()) {
    test(each.name, async () => {
      const rendering = await renderScenario(each)
      for (const component of ['edge', 'delivery', 'admin', 'nats']) {
        const { status, errors } = await check(component, rendering, join(folder.path, String(index)))
        assert.equal(status, 0, `${component}: ${errors}`)
        if (component !== 'nats') assert.equal(errors, '', component)
      }
    })
  }
})

test('`posthouse config check` says so of each settings file, and of a spoilt one what is wrong', async () => {
  const rendering = await renderScenario({ name: 'the defaults' })
  const cli = join(checkoutRoot(), 'services', 'cli', 'main.ts')
  for (const component of ['edge', 'delivery']) {
    const template = workloads(rendering).find(
      ({ template: each, isLasting }) => isLasting && labelsOf(each)['app.kubernetes.io/component'] === component,
    )?.template
    const container = template?.spec.containers[0]
    assert.ok(template && container)
    const fields = { 'metadata.name': 'a', 'status.hostIPs': '10.98.0.11' }
    const place = await layOut(container, template, rendering, { folder: join(folder.path, component), fields })
    const config = place.at(`/etc/posthouse/settings/${component}.yaml`)
    const ask = (env: Record<string, string>) =>
      run(process.execPath, [cli, 'config', 'check', component, '--config', config], { ...place.env, ...env })
    const good = await ask({})
    assert.equal(good.status, 0, good.errors)
    assert.match(good.output, new RegExp(`settings of ${component} are good`))
    const bad = await ask({ POSTHOUSE_QUEUE_PARTITIONS: 'none' })
    assert.equal(bad.status, 78)
    assert.match(bad.errors, /queue\.partitions/)
  }
})

describe('the values say', () => {
  const file = async (values: object, name: string, key: string) => {
    const rendering = await renderScenario({ name, values })
    const config = ofKind(rendering, 'ConfigMap').find(({ metadata }) => metadata.name === `mail-posthouse-${name}`)
    return config === undefined ? assert.fail(`no ConfigMap ${name}`) : (contentsOf(config)[key] ?? '')
  }
  const settings = async (values: object, name: 'edge' | 'delivery' | 'admin') =>
    parse(await file(values, name, `${name}.yaml`)) as Record<string, Record<string, unknown>>

  test('any setting of a service, beside those that the chart makes', async () => {
    const edge = await settings(
      { edge: { settings: { limits: { messageSize: '128MiB' }, log: { level: 'debug' } } } },
      'edge',
    )
    assert.equal(edge['limits']?.['messageSize'], '128MiB')
    assert.equal(edge['log']?.['level'], 'debug')
    assert.equal(edge['queue']?.['partitions'], 6)
    const delivery = await settings({ delivery: { settings: { route: { smarthosts: ['a.example:25'] } } } }, 'delivery')
    assert.deepEqual(delivery['route']?.['smarthosts'], ['a.example:25'])
    const admin = await settings({ admin: { dataSize: '10Gi', settings: { events: { keep: '3d' } } } }, 'admin')
    assert.deepEqual(admin['events'], { keep: '3d', room: '7168MiB' })
  })

  test('how large the queue is: from the volume, or as it is said', async () => {
    const table: [values: object, room: number, storage: string, replicas: number][] = [
      [{}, 8704, '8181MiB', 3],
      [{ nats: { persistence: { size: '100Gi' } } }, 87_040, '81817MiB', 3],
      [{ nats: { persistence: { size: '2Gi' }, replicas: 1 } }, 1740, '1635MiB', 1],
      [{ nats: { maxFileStore: '9GiB' }, queue: { storage: '5GiB' } }, 9216, '5GiB', 3],
      [{ nats: { replicas: 5 }, queue: { replicas: 5 } }, 8704, '8181MiB', 5],
    ]
    for (const [values, room, storage, replicas] of table) {
      const { queue } = await settings(values, 'delivery')
      assert.equal(queue?.['storage'], storage)
      assert.equal(queue?.['replicas'], replicas)
      assert.match(await file(values, 'nats', 'nats.conf'), new RegExp(`max_file_store: ${room * 2 ** 20}\\b`))
    }
  })

  test('how nodes stop: not ready first, and the deadline counts from the beginning', async () => {
    const { stop } = await settings({ edge: { drain: { notReadySeconds: 20, deadlineSeconds: 90 } } }, 'edge')
    assert.deepEqual(stop, { notReadyFor: '20s', deadline: '90s' })
    assert.deepEqual((await settings({}, 'delivery'))['stop'], { notReadyFor: '0s', deadline: '55s' })
  })

  test('every mail is on the disk before it is answered for, whatever the values', async () => {
    for (const values of [{}, { nats: { replicas: 1 } }, { nats: { encryption: { enabled: true } } }]) {
      const conf = await file(values, 'nats', 'nats.conf')
      assert.match(conf, /^ *sync_interval: always$/m)
      assert.match(conf, /^ *strict: true$/m)
    }
  })

  test('the users of external servers, and what they want to be shown', async () => {
    const external = {
      enabled: true,
      servers: ['a.example:4222'],
      users: { edge: 'mail-edge' },
      tlsExistingSecret: 't',
    }
    const of = async (more: object) =>
      (await settings({ nats: { usersExistingSecret: 'u', external: { ...external, ...more } } }, 'edge'))['nats']
    assert.equal((await of({}))?.['user'], 'mail-edge')
    assert.deepEqual(Object.keys((await of({}))?.['tls'] as object), ['caFile', 'certFile', 'keyFile'])
    assert.deepEqual(Object.keys((await of({ clientCertificate: false }))?.['tls'] as object), ['caFile'])
    assert.equal((await of({ tlsExistingSecret: '' }))?.['tls'], undefined)
  })
})
