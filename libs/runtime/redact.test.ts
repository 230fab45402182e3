import assert from 'node:assert/strict'
import { test } from 'node:test'
import { redact } from './redact.ts'

test('planted secrets are found at any depth, under any spelling of their names', () => {
  const planted = 'hunter2'
  const fields = {
    password: planted,
    Password: planted,
    natsPassword: planted,
    auth: { user: 'alice', pass: planted },
    nested: { deep: [{ user: { hash: planted, scryptHash: planted } }, { accessToken: planted }] },
    headers: { Authorization: planted, cookie: planted, 'x-secret': planted },
    credentials: [planted],
    clientSecret: planted,
    privateKey: planted,
    body: planted,
    content: { raw: planted },
    text: planted,
    bytes: Buffer.from(planted),
    err: Object.assign(new Error('refused', { cause: Object.assign(new Error('inner'), { token: planted }) }), {
      config: { auth: { pass: planted } },
    }),
  }
  const text = JSON.stringify(redact(fields))
  assert.ok(!text.includes(planted), text)
  assert.ok(!text.includes(JSON.stringify([...Buffer.from(planted)]).slice(1, -1)), text)
  assert.ok(text.includes('"message":"refused"') && text.includes('"message":"inner"'))
})

test('what is not secret stays, and the object itself is handed on', () => {
  const fields = {
    id: 'q1',
    bytes: 4096,
    recipients: ['a@example.org'],
    passed: 3,
    authenticated: true,
    auth: true,
    author: 'alice',
    bodyId: 'b1',
    context: 'x',
    at: new Date(0),
    none: null,
  }
  assert.equal(redact(fields), fields)
})

test('bodies and bytes become their size', () => {
  assert.deepEqual(redact({ body: 'hello', chunk: Buffer.alloc(9), data: new Uint8Array(3), html: {} }), {
    body: '[5 characters]',
    chunk: '[9 bytes]',
    data: '[3 bytes]',
    html: '[left out]',
  })
})

test('the original is never changed, and circles end', () => {
  const circle: { password: string; self?: unknown } = { password: 'x' }
  circle.self = circle
  assert.ok(JSON.stringify(redact(circle)).includes('[too deep]'))
  assert.equal(circle.password, 'x')
})
