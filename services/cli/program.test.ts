import assert from 'node:assert/strict'
import { test } from 'node:test'
import { posthouse } from './test/fake-world.ts'

const PROBE = '--from a@b --to a@b --listen 25'
const wrong: readonly [args: string, complaint: RegExp][] = [
  ['frob', /^posthouse: frob: no such command; there are queue count, .*config check, probe$/],
  ['queue', /^posthouse: queue: no such command; there are queue count, queue list, queue show$/],
  ['trace', /^posthouse: trace: QUERY is missing; posthouse trace --help shows how$/],
  ['trace A B', /^posthouse: trace: "B" is one argument too many/],
  ['trace A --limit 101', /^posthouse: --limit: must be a number from 1 to 100, not "101"$/],
  ['events now', /^posthouse: events: "now" is one argument too many/],
  ['events --type lost', /^posthouse: --type: must be one of accepted, .*attempted, not "lost"$/],
  ['events --from 7', /^posthouse: --from: "7" is no cursor: one begins with v1$/],
  ['events --from v9.7', /^posthouse: --from: "v9.7" is a cursor of version 9, this is version 1$/],
  ['queue frob', /^posthouse: queue frob: no such command/],
  ['queue show', /^posthouse: queue show: ID is missing; posthouse queue show --help shows how$/],
  ['queue show A B', /^posthouse: queue show: "B" is one argument too many/],
  ['queue count --frob', /^posthouse: queue count: Unknown option '--frob'/],
  ['queue count --config', /^posthouse: queue count: Option '--config <value>' argument missing/],
  ['queue count --config=', /^posthouse: queue count: --config must not be empty/],
  ['queue count --config a --data b', /^posthouse: --config and --data: name one of them$/],
  ['queue list --limit 0', /^posthouse: --limit: must be a number from 1 to 100000, not "0"$/],
  ['queue list --limit many', /^posthouse: --limit: must be a number/],
  ['user add', /^posthouse: user add: NAME is missing/],
  ['user add anna', /^posthouse: user add: --address is missing: as whom may this user send\?$/],
  ['user add @example.org', /^posthouse: user add: --address is missing/],
  ['user add anna --address bob', /^posthouse: --address: must be an address, @domain or \*, not "bob"$/],
  ['user list --file a --data b', /^posthouse: --file, --config and --data: name one of them$/],
  ['config check --config a', /^posthouse: config check: SERVICE is missing/],
  ['probe again', /^posthouse: probe: "again" is one argument too many/],
  ['probe --from a@b --to a@b --listen 25', /^posthouse: probe: --edge is missing; posthouse probe --help shows how$/],
  [`probe --edge mail ${PROBE}`, /^posthouse: --edge: must be HOST:PORT, such as 127.0.0.1:587, not "mail"$/],
  [`probe --edge mail:0 ${PROBE}`, /^posthouse: --edge: must be HOST:PORT/],
  [
    'probe --edge h:25 --from a --to a@b --listen 25',
    /^posthouse: --from: must be a plain address, such as \S+, not "a"$/,
  ],
  ['probe --edge h:25 --from "a"@b --to a@b --listen 25', /^posthouse: --from: must be a plain address/],
  ['probe --edge h:25 --from a@b --to .a@b --listen 25', /^posthouse: --to: must be a plain address/],
  ['probe --edge h:25 --from a@b --to ä@b --listen 25', /^posthouse: --to: must be a plain address/],
  ['probe --edge h:25 --from a@b --to a@b_c --listen 25', /^posthouse: --to: must be a plain address/],
  ['probe --edge h:25 --from a@b --to a@[x] --listen 25', /^posthouse: --to: must be a plain address/],
  [
    'probe --edge h:25 --from a@b --to a@b --listen 65536',
    /^posthouse: --listen: must be PORT or HOST:PORT, .*"65536"$/,
  ],
  ['probe --edge h:25 --from a@b --to a@b --listen ::1:25', /^posthouse: --listen: must be PORT or HOST:PORT/],
  [`probe --edge h:25 ${PROBE} --timeout 60`, /^posthouse: --timeout: must be a time from 1s to 1h, .* not "60"$/],
  [`probe --edge h:25 ${PROBE} --timeout 2h`, /^posthouse: --timeout: must be a time from 1s to 1h/],
  [
    `probe --edge h:25 ${PROBE} --tls maybe`,
    /^posthouse: --tls: must be one of starttls, implicit, none, not "maybe"$/,
  ],
  [`probe --edge h:25 ${PROBE} --server-name 192.0.2.1`, /^posthouse: --server-name: must be a host name/],
  [`probe --edge h:25 ${PROBE} --user a`, /^posthouse: probe: --user needs --password-file$/],
  [`probe --edge h:25 ${PROBE} --password-file a`, /^posthouse: probe: --password-file needs --user$/],
  [`probe --edge h:25 ${PROBE} --insecure --ca-file a`, /^posthouse: --ca-file and --insecure: name one of them$/],
  [`probe --edge h:25 ${PROBE} --tls none --ca-file a`, /^posthouse: --tls none and --ca-file: name one of them$/],
  [`probe --edge h:25 ${PROBE} --tls none --server-name a`, /^posthouse: --tls none and --server-name: name one/],
  [`probe --edge h:25 ${PROBE} --tls none --insecure`, /^posthouse: --tls none and --insecure: name one of them$/],
  [
    `probe --edge h:25 ${PROBE} --tls none --user a --password-file b`,
    /^posthouse: --tls none: a password is never sent without TLS$/,
  ],
]

for (const [args, complaint] of wrong) {
  test(`"posthouse ${args}" is a wrong command line: status 64 and one line that says why`, async () => {
    const said = await posthouse(args.split(' '))
    assert.equal(said.status, 64)
    assert.equal(said.output, '')
    assert.match(said.errors.trimEnd(), complaint)
  })
}

test('every mistake of a command line has a line of its own', async () => {
  const said = await posthouse(['user', 'add', 'anna', '--address', 'bob', '--address', 'x@y@'])
  assert.equal(said.errors.trimEnd().split('\n').length, 2)
})

test('a probe that is told nothing names all that it needs', async () => {
  const said = await posthouse(['probe'])
  assert.equal(said.status, 64)
  const lines = said.errors.trimEnd().split('\n')
  assert.deepEqual(
    lines.map((line) => /probe: (--\w+) is missing/.exec(line)?.[1]),
    ['--edge', '--from', '--to', '--listen'],
  )
})

test('without a command the help goes to standard error and the status is 64', async () => {
  const said = await posthouse([])
  assert.deepEqual([said.status, said.output], [64, ''])
  assert.match(said.errors, /^usage: posthouse COMMAND/)
})

for (const args of [['--help'], ['-h'], ['help']]) {
  test(`posthouse ${args.join(' ')} lists every command`, async () => {
    const said = await posthouse(args)
    assert.deepEqual([said.status, said.errors], [0, ''])
    for (const name of ['queue count', 'trace QUERY', 'events', 'user add NAME', 'config check SERVICE', 'probe'])
      assert.ok(said.output.includes(name))
  })
}

test('the help of a noun lists its verbs alone', async () => {
  const said = await posthouse(['user', '--help'])
  assert.equal(said.status, 0)
  assert.match(said.output, /user passwd NAME/)
  assert.doesNotMatch(said.output, /queue count/)
})

test('the help of a command names each of its options, even when an operand is missing beside it', async () => {
  const said = await posthouse(['user', 'add', '--address', 'a@example.org', 'anna', '--help'])
  assert.equal(said.status, 0)
  for (const option of ['--address ADDRESS', '--password-file FILE', '--file FILE', '--json']) {
    assert.ok(said.output.includes(option), option)
  }
})

test('a command of one word has a help of its own', async () => {
  const said = await posthouse(['probe', '--help'])
  assert.equal(said.status, 0)
  assert.match(said.output, /^usage: posthouse probe \[OPTION\]…\n/)
  for (const option of ['--edge HOST:PORT', '--listen [HOST:]PORT', '--tls starttls|implicit|none', '--insecure']) {
    assert.ok(said.output.includes(option), option)
  }
})

test('what --json means to a command of its own kind stands in its help, once', async () => {
  const said = await posthouse(['events', '--help'])
  const rows = said.output.split('\n').filter((line) => line.startsWith('  --json '))
  assert.deepEqual(
    rows.map((row) => row.replace(/ +/g, ' ')),
    [' --json each event as one line of JSON, with the cursor to go on from after it'],
  )
})

test('the help of a queue command tells of POSTHOUSE_CONFIG', async () => {
  assert.match((await posthouse(['queue', 'list', '--help'])).output, /POSTHOUSE_CONFIG/)
})

test('a complaint under --json is an object on standard output too', async () => {
  const said = await posthouse(['queue', 'count', '--json'])
  assert.equal(said.status, 78)
  assert.deepEqual(Object.keys(JSON.parse(said.output) as object), ['errors'])
})

test('the version is the one of the package', async () => {
  assert.match((await posthouse(['--version'])).output, /^\d+\.\d+\.\d+\n$/)
})
