import assert from 'node:assert/strict'
import { test } from 'node:test'
import { commonSettings, queueSettings } from './common.ts'
import { loadSettings } from './load.ts'
import type { SettingsSources } from './load.ts'
import { defineSettings } from './table.ts'
import type { Settings } from './table.ts'

const table = defineSettings({
  name: { type: 'string', format: 'name', help: 'Name.' },
  note: { type: 'string', optional: true, help: 'A note.' },
  'http.port': { type: 'integer', min: 0, max: 65535, default: 8080, help: 'Port.' },
  'limits.messageSize': { type: 'bytes', min: '1KiB', max: '1GiB', default: '64MiB', help: 'Size.' },
  'limits.recipients': { type: 'integer', min: 1, max: 10_000, unit: 'recipients', default: 1000, help: 'Count.' },
  'retry.first': { type: 'duration', min: '1s', max: '1d', default: '5m', help: 'First.' },
  'log.level': { type: 'enum', values: ['info', 'debug'], default: 'info', help: 'Level.' },
  local: { type: 'boolean', default: false, help: 'Local.' },
  'nats.servers': { type: 'list', format: 'host:port', min: 1, default: ['127.0.0.1:4222'], help: 'Servers.' },
  'nats.password': { type: 'secret', optional: true, help: 'Password.' },
  'tls.keyFile': { type: 'string', format: 'path', optional: true, help: 'Key.' },
  listeners: {
    type: 'objects',
    default: [],
    max: 3,
    help: 'Listeners.',
    item: {
      role: { type: 'enum', values: ['submission', 'relay'], help: 'Role.' },
      host: { type: 'string', format: 'host', default: '127.0.0.1', help: 'Host.' },
      port: { type: 'integer', min: 0, max: 65535, help: 'Port.' },
      networks: { type: 'list', format: 'cidr', default: [], help: 'Networks.' },
    },
  },
})

const FILES: Record<string, string> = {
  '/etc/posthouse/secret': 'from a file\n',
  '/run/other': 'from elsewhere',
  '/empty': '\n',
}

function load(text: string | undefined, environment: SettingsSources['environment'] = {}) {
  const readFile = (path: string): string => {
    const found = FILES[path]
    if (found === undefined) throw new Error(`ENOENT: no such file or directory, open '${path}'`)
    return found
  }
  const sources = { environment, readFile }
  return loadSettings(
    table,
    text === undefined ? sources : { ...sources, file: { name: '/etc/posthouse/edge.yaml', text } },
  )
}

function settingsOf(text: string | undefined, environment?: SettingsSources['environment']): Settings<typeof table> {
  const loaded = load(text, environment)
  assert.ok(loaded.ok, loaded.ok ? '' : loaded.errors.join('\n'))
  return loaded.settings
}

function errorsOf(text: string | undefined, environment?: SettingsSources['environment']): readonly string[] {
  const loaded = load(text, environment)
  return loaded.ok ? [] : loaded.errors
}

test('a file, the environment and the defaults make one typed object', () => {
  const settings = settingsOf(
    `
name: edge-1
http: { port: 9000 }
limits:
  messageSize: 10MiB
retry.first: 30s
tls: { keyFile: key.pem }
nats: { servers: ['a:1', 'b:2'], passwordFile: secret }
listeners:
  - { role: relay, port: 2525, networks: [127.0.0.0/8] }
  - role: submission
    port: 0
`.replace('retry.first: 30s', 'retry: { first: 1m30s }'),
    { POSTHOUSE_HTTP_PORT: '9001', POSTHOUSE_LOCAL: 'true', POSTHOUSE_NATS_SERVERS: 'c:3, d:4' },
  )
  // The annotations are part of the test: types follow from the table.
  const port: number = settings.http.port
  const role: 'submission' | 'relay' | undefined = settings.listeners[0]?.role
  const password: string | undefined = settings.nats.password
  assert.deepEqual({ port, role, password }, { port: 9001, role: 'relay', password: 'from a file' })
  assert.deepEqual(settings, {
    name: 'edge-1',
    note: undefined,
    http: { port: 9001 },
    limits: { messageSize: 10 * 2 ** 20, recipients: 1000 },
    retry: { first: 90_000 },
    log: { level: 'info' },
    local: true,
    nats: { servers: ['c:3', 'd:4'], password: 'from a file' },
    tls: { keyFile: '/etc/posthouse/key.pem' },
    listeners: [
      { role: 'relay', host: '127.0.0.1', port: 2525, networks: ['127.0.0.0/8'] },
      { role: 'submission', host: '127.0.0.1', port: 0, networks: [] },
    ],
  })
})

test('a wrong value is one line that names its path, unit, range and place', () => {
  const at = (n: number) => ` (/etc/posthouse/edge.yaml:${n})`
  const wrong: [string, string][] = [
    ['name: edge 1', `name: must be a name of letters, digits, "-", "_" and ".", not "edge 1"${at(1)}`],
    ['name:', `name: must be a name of letters, digits, "-", "_" and ".", not empty${at(1)}`],
    ['name: a\nhttp: { port: 70000 }', `http.port: must be an integer from 0 to 65535, not 70000${at(2)}`],
    ['name: a\nhttp:\n  port: "25"', `http.port: must be an integer from 0 to 65535, not "25"${at(3)}`],
    [
      'name: a\nlimits: { messageSize: 64 }',
      `limits.messageSize: must be a size from 1KiB to 1GiB, such as 64MiB, not 64${at(2)}`,
    ],
    [
      'name: a\nlimits: { messageSize: 2GiB }',
      `limits.messageSize: must be a size from 1KiB to 1GiB, such as 64MiB, not "2GiB"${at(2)}`,
    ],
    [
      'name: a\nlimits: { recipients: 0 }',
      `limits.recipients: must be a whole number of recipients from 1 to 10000, not 0${at(2)}`,
    ],
    ['name: a\nretry: { first: 10 }', `retry.first: must be a duration from 1s to 1d, such as 5m, not 10${at(2)}`],
    ['name: a\nretry: { first: 1ms }', `retry.first: must be a duration from 1s to 1d, such as 5m, not "1ms"${at(2)}`],
    ['name: a\nlog: { level: loud }', `log.level: must be one of info, debug, not "loud"${at(2)}`],
    ['name: a\nlocal: yes', `local: must be true or false, not "yes"${at(2)}`],
    [
      'name: a\nnats: { servers: [] }',
      `nats.servers: must be a list, each host:port, such as 127.0.0.1:4222; entries: at least 1, not []${at(2)}`,
    ],
    [
      'name: a\nnats: { servers: [a:1, b] }',
      `nats.servers: must be a list, each host:port, such as 127.0.0.1:4222; entries: at least 1, not "b"${at(2)}`,
    ],
    ['name: a\nhttp: 3', `http: must hold port${at(2)}`],
    ['name: a\nhtp: { port: 1 }', `htp: no such setting; did you mean http?${at(2)}`],
    ['name: a\nhttp: { prot: 1 }', `http.prot: no such setting; did you mean http.port?${at(2)}`],
    ['name: a\nelsewhere: 1', `elsewhere: no such setting${at(2)}`],
    [
      'name: a\nnats: { password: hunter2 }',
      `nats.password: a secret does not belong in the file; name a file in nats.passwordFile or set POSTHOUSE_NATS_PASSWORD${at(2)}`,
    ],
    [
      'name: a\nnats: { passwordFile: nowhere }',
      `nats.passwordFile: cannot read nowhere: ENOENT: no such file or directory, open '/etc/posthouse/nowhere'${at(2)}`,
    ],
    ['name: a\nnats: { passwordFile: /empty }', `nats.passwordFile: /empty is empty${at(2)}`],
    [
      'name: a\nlisteners: [{ role: rely, port: 1 }]',
      `listeners[0].role: must be one of submission, relay, not "rely"${at(2)}`,
    ],
    [
      'name: a\nlisteners: [{ role: relay }]',
      `listeners[0].port: is required; it must be an integer from 0 to 65535${at(2)}`,
    ],
    [
      'name: a\nlisteners: [{ role: relay, port: 1, network: [] }]',
      `listeners[0].network: no such setting; did you mean networks?${at(2)}`,
    ],
    ['name: a\nlisteners: [25]', `listeners[0]: must be an object with role, host, port, networks, not 25${at(2)}`],
    [
      'name: a\nlisteners: 25',
      `listeners: must be a list of objects with role, host, port, networks; entries: at most 3, not 25${at(2)}`,
    ],
    ['- name', `the file must hold settings as "name: value", not a list${at(1)}`],
    ['name: a\nname: b', `not valid YAML: Map keys must be unique${at(2)}`],
  ]
  for (const [text, expected] of wrong)
    assert.deepEqual(
      errorsOf(text).filter((line) => !line.startsWith('name: is required')),
      [expected],
      text,
    )
})

test('all mistakes are told at once, wherever they are', () => {
  const errors = errorsOf('http: { port: -1 }\nretry: { first: soon }\nlog: { levle: debug }\n', {
    POSTHOUSE_LIMITS_RECIPIENTS: 'many',
    POSTHOUSE_HTTP_PROT: '1',
  })
  assert.deepEqual(errors, [
    'log.levle: no such setting; did you mean log.level? (/etc/posthouse/edge.yaml:3)',
    'name: is required; it must be a name of letters, digits, "-", "_" and "." (or set POSTHOUSE_NAME)',
    'http.port: must be an integer from 0 to 65535, not -1 (/etc/posthouse/edge.yaml:1)',
    'limits.recipients: must be a whole number of recipients from 1 to 10000, not "many" (POSTHOUSE_LIMITS_RECIPIENTS)',
    'retry.first: must be a duration from 1s to 1d, such as 5m, not "soon" (/etc/posthouse/edge.yaml:2)',
    'POSTHOUSE_HTTP_PROT: no setting has this variable; did you mean POSTHOUSE_HTTP_PORT?',
  ])
})

test('a secret comes from a file, a variable or a file named by a variable, and not from two of them', () => {
  const base = 'name: a\nnats: { passwordFile: secret }'
  assert.equal(settingsOf(base).nats.password, 'from a file')
  assert.equal(settingsOf(base, { POSTHOUSE_NATS_PASSWORD: 'direct' }).nats.password, 'direct')
  assert.equal(settingsOf(base, { POSTHOUSE_NATS_PASSWORD_FILE: '/run/other' }).nats.password, 'from elsewhere')
  assert.equal(settingsOf('name: a').nats.password, undefined)
  assert.deepEqual(errorsOf(base, { POSTHOUSE_NATS_PASSWORD: 'x', POSTHOUSE_NATS_PASSWORD_FILE: '/run/other' }), [
    'nats.password: both POSTHOUSE_NATS_PASSWORD and POSTHOUSE_NATS_PASSWORD_FILE are set; set one',
  ])
})

test('no complaint repeats a secret', () => {
  const errors = errorsOf('name: a\nnats: { password: hunter2, passwordFile: 7 }')
  assert.equal(errors.length, 2)
  assert.ok(!errors.join('\n').includes('hunter2'))
})

test('lists of objects can be given by the environment', () => {
  const settings = settingsOf(undefined, {
    POSTHOUSE_NAME: 'edge-1',
    POSTHOUSE_LISTENERS: '[{"role":"relay","port":2525}]',
  })
  assert.deepEqual(settings.listeners, [{ role: 'relay', host: '127.0.0.1', port: 2525, networks: [] }])
})

test("a cluster's own variables and the command line's are no mistakes, and a stranger is mentioned", () => {
  const loaded = load('name: a', {
    POSTHOUSE_PORT: 'tcp://10.0.0.1:25',
    POSTHOUSE_SERVICE_HOST: '10.0.0.1',
    POSTHOUSE_EDGE_PORT_25_TCP_ADDR: '10.0.0.1',
    POSTHOUSE_CONFIG: '/etc/posthouse/cli.yaml',
    POSTHOUSE_COLOUR_OF_THE_COACH: 'yellow',
    HOME: '/root',
  })
  assert.ok(loaded.ok)
  assert.deepEqual(loaded.notes, ['POSTHOUSE_COLOUR_OF_THE_COACH: no setting has this variable'])
})

test('rules between settings speak when every setting is right by itself', () => {
  const rules = (settings: Settings<typeof table>) => (settings.local ? [] : ['tls.keyFile: is required'])
  const readFile = () => ''
  const load = (environment: Record<string, string>) => loadSettings(table, { environment, readFile }, rules)
  assert.deepEqual(load({ POSTHOUSE_NAME: 'a' }), { ok: false, errors: ['tls.keyFile: is required'] })
  assert.equal(load({ POSTHOUSE_NAME: 'a', POSTHOUSE_LOCAL: 'true' }).ok, true)
})

test('the defaults of the common settings satisfy their own table', () => {
  const environment = { POSTHOUSE_NAME: 'edge-1', POSTHOUSE_HOSTNAME: 'mx.example', POSTHOUSE_HTTP_PORT: '0' }
  const loaded = loadSettings({ ...commonSettings, ...queueSettings }, { environment, readFile: () => '' })
  assert.ok(loaded.ok, loaded.ok ? '' : loaded.errors.join('\n'))
  assert.equal(loaded.settings.stop.deadline, 25_000)
  assert.equal(loaded.settings.tracing.endpoint, '')
  assert.equal(loaded.settings.queue.replicas, 3)
})
