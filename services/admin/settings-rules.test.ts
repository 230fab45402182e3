import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadSettings } from '@posthouse/runtime/settings/load'
import { stringify } from 'yaml'
import { settingsRules } from './settings-rules.ts'
import { settingsTable } from './settings.ts'

function load(settings: Readonly<Record<string, unknown>>): ReturnType<typeof loadSettings<typeof settingsTable>> {
  const text = stringify({ name: 'admin-1', hostname: 'admin.example', http: { port: 0 }, ...settings })
  const sources = { file: { name: '/etc/posthouse/admin.yaml', text }, environment: {}, readFile: () => '' }
  return loadSettings(settingsTable, sources, settingsRules)
}

const hook = { name: 'one', url: 'https://hooks.example.org/mail?key=k', secretFile: 'secret' }

test('the defaults are right, and an empty folder is memory', () => {
  const loaded = load({ webhooks: [hook] })
  assert.ok(loaded.ok)
  assert.equal(loaded.settings.data.folder, '/var/lib/posthouse')
  assert.deepEqual(loaded.settings.webhooks, [
    { ...hook, secretFile: '/etc/posthouse/secret', events: [], caFile: undefined },
  ])
  const memory = load({ data: { folder: '' } })
  assert.equal(memory.ok && memory.settings.data.folder, undefined)
})

test('what two settings say of each other is looked at', () => {
  const wrong: readonly (readonly [settings: Readonly<Record<string, unknown>>, complaint: RegExp])[] = [
    [{ webhooks: [{ ...hook, url: 'ftp://example.org' }] }, /^webhooks\[0\]\.url: must be an http or https URL/],
    [
      { webhooks: [{ ...hook, url: 'https://u:geheim@example.org' }] },
      /^webhooks\[0\]\.url: must not have a user and a/,
    ],
    [{ webhooks: [{ ...hook, url: 'https://example.org/#a' }] }, /^webhooks\[0\]\.url: must not have a fragment/],
    [{ webhooks: [hook, { ...hook }] }, /^webhooks\[1\]\.name: one is webhooks\[0\]/],
    [
      { webhooks: [{ ...hook, events: ['bounced', 'bounce'] }] },
      /^webhooks\[0\]\.events: "bounce" is none of accepted,/,
    ],
    [{ webhooks: [{ name: 'one', url: hook.url }] }, /^webhooks\[0\]\.secretFile: is required/],
    [{ webhookRetry: { first: '1h', longest: '1m' } }, /^webhookRetry\.first: must not be longer than/],
    [{ webhookRetry: { giveUpAfter: '8d' } }, /^webhookRetry\.giveUpAfter: must not be longer than events\.keep/],
    [{ nats: { tls: { certFile: 'a' } } }, /^nats\.tls\.certFile: goes with nats\.tls\.keyFile/],
  ]
  for (const [settings, complaint] of wrong) {
    const loaded = load(settings)
    assert.ok(!loaded.ok)
    assert.match(loaded.errors[0] ?? '', complaint)
    assert.ok(!loaded.errors.join().includes('geheim'))
  }
})
