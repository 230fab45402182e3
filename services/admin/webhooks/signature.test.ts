import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sign, verify } from './signature.ts'

const [secret, at, body] = ['0123456789abcdef', 1_777_896_000, '{"events":[]}']

test('a signature is the digest that other programs make of the same', () => {
  // printf '%s' '1777896000.{"events":[]}' | openssl dgst -sha256 -hmac 0123456789abcdef
  assert.equal(
    sign(secret, at, body),
    't=1777896000,v1=c0c6eccbed1aad2cba52d4c7c759f327788398ccee603791e916d26004faebaa',
  )
})

test('what is signed with the secret and young is ours, and nothing else', () => {
  const header = sign(secret, at, body)
  assert.equal(verify(secret, header, body, at + 299, 300), true)
  for (const [why, ours, sent, got, now] of [
    ['old', secret, header, body, at + 301],
    ['from the future', secret, header, body, at - 301],
    ['another body', secret, header, `${body} `, at],
    ['another secret', `${secret}0`, header, body, at],
    ['another time', secret, header.replace('t=1', 't=2'), body, at],
    ['no digest', secret, `t=${at}`, body, at],
    ['half of it', secret, header.slice(0, -32), body, at],
    ['nothing', secret, '', body, at],
  ] as const)
    assert.equal(verify(ours, sent, got, now, 300), false, why)
})
