import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parse } from 'yaml'
import { loadSettings } from './load.ts'
import { settingsMarkdown } from './markdown.ts'
import { helpText, settingsText } from './print.ts'
import { defineSettings } from './table.ts'

const table = defineSettings({
  'log.level': { type: 'enum', values: ['info', 'debug'], default: 'info', help: 'The least important line.' },
  'nats.password': { type: 'secret', help: 'Password of the NATS user.' },
  'limits.messageSize': { type: 'bytes', max: '1GiB', default: '64MiB', help: 'Larger messages are refused.' },
  'log.every': { type: 'duration', default: '90s', help: 'How often | at most.' },
  listeners: {
    type: 'objects',
    default: [],
    help: 'Where mail comes in.',
    item: { port: { type: 'integer', help: 'Port.' }, key: { type: 'secret', optional: true, help: 'Key.' } },
  },
})

function loaded() {
  const result = loadSettings(table, {
    file: { name: '/x.yaml', text: 'log: { level: debug }\nlisteners: [{ port: 25 }]\n' },
    environment: { POSTHOUSE_NATS_PASSWORD: 'hunter2', POSTHOUSE_LIMITS_MESSAGE_SIZE: '10MiB' },
    readFile: () => '',
  })
  assert.ok(result.ok)
  return result
}

test('the effective settings are YAML that says where each value came from, without secrets', () => {
  const { settings, origins } = loaded()
  const text = settingsText(table, settings, origins)
  assert.equal(
    text,
    `log:
  level: debug # file
  every: 1m30s # default
nats:
  # password: [redacted] # environment
limits:
  messageSize: 10MiB # environment
listeners: # file
  - port: 25
`,
  )
  assert.deepEqual(parse(text), {
    log: { level: 'debug', every: '1m30s' },
    nats: null,
    limits: { messageSize: '10MiB' },
    listeners: [{ port: 25 }],
  })
})

test('help names every setting with its variable, range and default', () => {
  const text = helpText('edge', table)
  for (const line of [
    '  limits.messageSize  (bytes, POSTHOUSE_LIMITS_MESSAGE_SIZE)',
    '      A size of at most 1GiB, such as 64MiB; default 64MiB.',
    '  nats.passwordFile  (secret, POSTHOUSE_NATS_PASSWORD)',
    '      A secret, by file or environment; required.',
    '      port  (integer)',
  ])
    assert.ok(text.includes(`${line}\n`), line)
})

test("the docs hold a service's own settings, escaped for a table", () => {
  const text = settingsMarkdown(new Map([['edge', table]]))
  assert.match(text, /^## edge$/m)
  assert.match(
    text,
    /\| `log.every`<br>`POSTHOUSE_LOG_EVERY` \| a duration, such as 90s \| 90s \| How often \\\| at most\. \|/,
  )
  assert.match(text, /\| `listeners\[\]\.port` \| an integer \| required \| Port\. \|/)
  assert.equal(text.match(/`http\.port`/g)?.length, 1)
})
