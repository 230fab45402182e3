import assert from 'node:assert/strict'
import { test } from 'node:test'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { TlsAuthority } from '@posthouse/testkit/tls-authority'
import { Receiver } from '../test/receiver.ts'
import { createPoster } from './post.ts'
import type { Posted } from './post.ts'

const BODY = '{"events":[]}'

async function post(url: string, ca?: string, timeout = 5000): Promise<Posted> {
  const poster = createPoster({ url, ca, timeout, connections: 1 })
  try {
    return await poster.post(BODY, { 'content-type': 'application/json' })
  } finally {
    poster.close()
  }
}

test('what a status means', async () => {
  await using receiver = await Receiver.start()
  const url = `http://127.0.0.1:${receiver.port}/in`
  for (const [status, expected] of [
    [200, { is: 'delivered' }],
    [204, { is: 'delivered' }],
    [302, { is: 'failed', reason: 'status 302: redirects are not followed', refused: false }],
    [400, { is: 'failed', reason: 'status 400', refused: true }],
    [404, { is: 'failed', reason: 'status 404', refused: true }],
    [408, { is: 'failed', reason: 'status 408', refused: false }],
    [410, { is: 'gone', reason: 'status 410' }],
    [429, { is: 'failed', reason: 'status 429', refused: false }],
    [503, { is: 'failed', reason: 'status 503', refused: false }],
  ] as const) {
    receiver.status = () => status
    assert.deepEqual(await post(url), expected, String(status))
  }
  assert.deepEqual(new Set(receiver.got.map(({ path }) => path)), new Set(['/in']))
})

test('a receiver that does not answer, answers nonsense or is not there has failed, and the URL is not told', async () => {
  await using receiver = await Receiver.start()
  const url = `http://127.0.0.1:${receiver.port}/geheim`
  receiver.status = () => undefined
  assert.deepEqual(await post(url, undefined, 50), { is: 'failed', reason: 'no reply in time', refused: false })
  const { port } = receiver
  await receiver[Symbol.asyncDispose]()
  const absent = await post(`http://127.0.0.1:${port}/geheim`)
  assert.deepEqual(absent, { is: 'failed', reason: 'ECONNREFUSED', refused: false })
})

test('a certificate has to be for the host, and by an authority that is trusted', async () => {
  await using folder = await temporaryFolder('webhook')
  const authority = await TlsAuthority.create(folder.path)
  await using receiver = await Receiver.start(await authority.issue(['127.0.0.1']))
  await using other = await Receiver.start(await authority.issue(['other.example']))
  const at = (port: number): string => `https://127.0.0.1:${port}/`
  assert.deepEqual(await post(at(receiver.port), authority.ca), { is: 'delivered' })
  const strange = await post(at(receiver.port))
  assert.ok(strange.is === 'failed' && strange.reason === 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', JSON.stringify(strange))
  const misnamed = await post(at(other.port), authority.ca)
  assert.ok(misnamed.is === 'failed' && misnamed.reason === 'ERR_TLS_CERT_ALTNAME_INVALID', JSON.stringify(misnamed))
  assert.equal(other.got.length, 0)
})
