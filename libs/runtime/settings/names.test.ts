import assert from 'node:assert/strict'
import { test } from 'node:test'
import { environmentName, nearest } from './names.ts'
import { defineSettings } from './table.ts'

test('a path has one name in the environment', () => {
  assert.equal(environmentName('limits.messageSize'), 'POSTHOUSE_LIMITS_MESSAGE_SIZE')
  assert.equal(environmentName('nats.passwordFile'), 'POSTHOUSE_NATS_PASSWORD_FILE')
  assert.equal(environmentName('name'), 'POSTHOUSE_NAME')
})

test('a slip of the hand finds the name that was meant, and a stranger none', () => {
  const names = ['http.port', 'http.host', 'log.level', 'limits.messageSize']
  const table: [string, string | undefined][] = [
    ['http.prot', 'http.port'],
    ['http.prt', 'http.port'],
    ['Log.Level', 'log.level'],
    ['limits.mesageSize', 'limits.messageSize'],
    ['limits.message_size', 'limits.messageSize'],
    ['something.else', undefined],
  ]
  for (const [name, expected] of table) assert.equal(nearest(name, names), expected, name)
})

test('a table that contradicts itself is a bug', () => {
  const help = 'x'
  assert.throws(() => defineSettings({ a: { type: 'boolean', help }, 'a.b': { type: 'boolean', help } }), /a: is both/)
  assert.throws(
    () => defineSettings({ aB: { type: 'boolean', help }, 'a.b': { type: 'boolean', help } }),
    /POSTHOUSE_A_B/,
  )
  assert.throws(
    () => defineSettings({ p: { type: 'secret', help }, pFile: { type: 'string', help } }),
    /POSTHOUSE_P_FILE/,
  )
  assert.throws(() => defineSettings({ 'A-b': { type: 'boolean', help } }), /not a path/)
})
