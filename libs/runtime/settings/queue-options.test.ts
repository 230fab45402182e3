import assert from 'node:assert/strict'
import { test } from 'node:test'
import { natsTls, queueRules } from './queue-options.ts'

const tls = (caFile?: string, certFile?: string, keyFile?: string) => ({ caFile, certFile, keyFile })
const pair = 'nats.tls.certFile: goes with nats.tls.keyFile'
const trust = 'nats.tls.certFile: needs nats.tls.caFile'

test('files for TLS to the NATS servers are complete, or a line says what is missing', () => {
  for (const [files, wrong] of [
    [tls(), []],
    [tls('ca'), []],
    [tls('ca', 'cert', 'key'), []],
    [tls('ca', 'cert'), [pair]],
    [tls('ca', undefined, 'key'), [pair]],
    [tls(undefined, 'cert', 'key'), [trust]],
    [tls(undefined, 'cert'), [pair, trust]],
  ] as const)
    assert.deepEqual(queueRules({ nats: { tls: files } }), wrong, JSON.stringify(files))
})

test('TLS is on when there is an authority to trust', () => {
  assert.deepEqual(natsTls(tls()), {})
  assert.deepEqual(natsTls(tls('ca')), { tls: { caFile: 'ca' } })
  assert.deepEqual(natsTls(tls('ca', 'cert', 'key')), {
    tls: { caFile: 'ca', client: { certFile: 'cert', keyFile: 'key' } },
  })
})
