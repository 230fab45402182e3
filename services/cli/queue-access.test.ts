import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { findQueue } from './queue-access.ts'
import type { Given } from './command.ts'

function given(options: Readonly<Record<string, string>>): Given {
  return {
    operands: [],
    value: (option) => options[option],
    values: () => [],
    has: (option) => options[option] !== undefined,
  }
}

async function folder(test: { after(work: () => Promise<void>): void }): Promise<string> {
  const { path, remove } = await temporaryFolder('cli')
  test.after(remove)
  return path
}

const QUEUE =
  'nats: { servers: ["127.0.0.1:2501"], user: posthouse, passwordFile: nats-password }\nqueue: { replicas: 1 }\n'

async function localCluster(dir: string, running: boolean): Promise<void> {
  await mkdir(dir, { recursive: true })
  await writeFile(join(dir, 'queue.yaml'), QUEUE)
  await writeFile(join(dir, 'nats-password'), 'secret\n')
  if (running) await writeFile(join(dir, 'cluster.json'), '{}')
}

test('of the settings of any service only those of NATS count', async (t) => {
  const dir = await folder(t)
  const file = join(dir, 'edge.yaml')
  await writeFile(
    file,
    'name: edge-1\nfrob: 1\nnats: { servers: [10.0.0.1:4222], frob: 2 }\nqueue: { partitions: 12, frob: 3 }\n',
  )
  assert.deepEqual(findQueue(given({ config: file }), { environment: {}, root: dir }), {
    servers: ['10.0.0.1:4222'],
    name: 'posthouse-cli',
    from: file,
  })
})

test('the environment overrides the file of --config, as it does for a service', async (t) => {
  const dir = await folder(t)
  const file = join(dir, 'edge.yaml')
  await writeFile(file, 'nats: { servers: [n0:4222], user: posthouse }\n')
  const environment = { POSTHOUSE_NATS_SERVERS: 'n1:4222,n2:4222', POSTHOUSE_NATS_PASSWORD: 'secret' }
  const found = findQueue(given({ config: file }), { environment, root: dir })
  assert.deepEqual('servers' in found && [found.servers, found.password, found.user], [
    ['n1:4222', 'n2:4222'],
    'secret',
    'posthouse',
  ])
})

test('--data names the folder of a local cluster, whatever the environment says', async (t) => {
  const dir = await folder(t)
  await localCluster(dir, false)
  const environment = { POSTHOUSE_NATS_SERVERS: 'elsewhere:4222' }
  const found = findQueue(given({ data: dir }), { environment, root: dir })
  assert.deepEqual('servers' in found && [found.servers, found.password], [['127.0.0.1:2501'], 'secret'])
})

test('the file that POSTHOUSE_CONFIG names stands for itself, whatever the variables of a service say', async (t) => {
  const dir = await folder(t)
  const file = join(dir, 'cli.yaml')
  await writeFile(file, 'nats: { servers: [n0:4222], user: cli, passwordFile: cli-password }\n')
  await writeFile(join(dir, 'cli-password'), 'of the command line\n')
  const environment = {
    POSTHOUSE_CONFIG: file,
    POSTHOUSE_NATS_SERVERS: 'elsewhere:4222',
    POSTHOUSE_NATS_USER: 'edge',
    POSTHOUSE_NATS_PASSWORD: 'of the edge',
  }
  assert.deepEqual(findQueue(given({}), { environment, root: dir }), {
    name: 'posthouse-cli',
    servers: ['n0:4222'],
    user: 'cli',
    password: 'of the command line',
    from: file,
  })
})

for (const option of ['config', 'data']) {
  test(`--${option} goes before POSTHOUSE_CONFIG`, async (t) => {
    const dir = await folder(t)
    await localCluster(dir, false)
    const named = option === 'data' ? dir : join(dir, 'queue.yaml')
    const environment = { POSTHOUSE_CONFIG: join(dir, 'no-such-file') }
    const found = findQueue(given({ [option]: named }), { environment, root: dir })
    assert.deepEqual('servers' in found && found.servers, ['127.0.0.1:2501'])
  })
}

test('an empty POSTHOUSE_CONFIG names nothing', async (t) => {
  const root = await folder(t)
  const found = findQueue(given({}), { environment: { POSTHOUSE_CONFIG: '', POSTHOUSE_NATS_SERVERS: 'n1:4222' }, root })
  assert.deepEqual('servers' in found && found.servers, ['n1:4222'])
})

test('a file named by POSTHOUSE_CONFIG that is not there is refused under that name, not passed over', async (t) => {
  const root = await folder(t)
  await localCluster(join(root, '.posthouse', 'local'), true)
  const environment = { POSTHOUSE_CONFIG: join(root, 'no-such-file'), POSTHOUSE_NATS_SERVERS: 'n1:4222' }
  const found = findQueue(given({}), { environment, root })
  assert.ok('is' in found)
  assert.equal(found.status, 78)
  assert.match(found.lines[0] ?? '', /^POSTHOUSE_CONFIG: cannot read the settings file: ENOENT/)
})

test('without any option it is the cluster that runs in the checkout', async (t) => {
  const root = await folder(t)
  await localCluster(join(root, '.posthouse', 'local'), true)
  const found = findQueue(given({}), { environment: {}, root })
  assert.deepEqual('servers' in found && found.servers, ['127.0.0.1:2501'])
})

test('TLS is taken from the settings of the service, its paths relative to the file', async (t) => {
  const dir = await folder(t)
  const file = join(dir, 'edge.yaml')
  await writeFile(file, 'nats: { servers: [n0:4222], tls: { caFile: ca.pem, certFile: c.pem, keyFile: c.key } }\n')
  const found = findQueue(given({ config: file }), { environment: {}, root: dir })
  assert.deepEqual('servers' in found && found.tls, {
    caFile: join(dir, 'ca.pem'),
    client: { certFile: join(dir, 'c.pem'), keyFile: join(dir, 'c.key') },
  })
  const wrong = findQueue(given({ config: file }), { environment: { POSTHOUSE_NATS_TLS_KEY_FILE: '' }, root: dir })
  assert.ok(!('servers' in wrong))
})

test('a variable that belongs to somebody else is no mistake', async (t) => {
  const root = await folder(t)
  const environment = { POSTHOUSE_NATS_SERVERS: 'n1:4222', POSTHOUSE_NATS_SERVER: '/usr/sbin/nats-server' }
  assert.ok('servers' in findQueue(given({}), { environment, root }))
})

const refusals: readonly [name: string, options: Readonly<Record<string, string>>, status: number, line: RegExp][] = [
  ['a checkout whose cluster does not run', {}, 78, /^which queue\? .*--config FILE or POSTHOUSE_CONFIG/],
  ['a folder without a cluster', { data: 'no-such-folder' }, 78, /^--data: no-such-folder holds no local cluster/],
  ['a settings file that is not there', { config: 'no-such-file' }, 78, /^--config: cannot read the settings file/],
  ['two places at once', { config: 'a', data: 'b' }, 64, /^--config and --data: name one of them$/],
]

for (const [name, options, status, line] of refusals) {
  test(`${name} is refused with status ${status}`, async (t) => {
    const root = await folder(t)
    await localCluster(join(root, '.posthouse', 'local'), false)
    const found = findQueue(given(options), { environment: {}, root })
    assert.ok('is' in found)
    assert.equal(found.status, status)
    assert.match(found.lines[0] ?? '', line)
  })
}

test('each mistake in the settings of the way to the queue is a line', async (t) => {
  const root = await folder(t)
  const file = join(root, 'edge.yaml')
  await writeFile(file, 'nats: { servers: [nowhere], user: 7, passwordFile: no-such-file }\n')
  const found = findQueue(given({ config: file }), { environment: {}, root })
  assert.deepEqual('lines' in found && found.lines.map((line) => line.split(':')[0]), [
    'nats.servers',
    'nats.user',
    'nats.passwordFile',
  ])
})
