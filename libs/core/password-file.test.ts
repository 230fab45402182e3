import assert from 'node:assert/strict'
import { test } from 'node:test'
import { passwordInFile } from './password-file.ts'

const good: readonly (readonly [held: string, password: string])[] = [
  ['correct horse', 'correct horse'],
  ['correct horse\n', 'correct horse'],
  ['correct horse\r\n', 'correct horse'],
  [' twelve chars ', ' twelve chars '],
  ['äöüäöüäöüäöü', 'äöüäöüäöüäöü'],
]
test('a password file holds the password and perhaps a newline', () => {
  for (const [held, password] of good) assert.deepEqual(passwordInFile(Buffer.from(held)), { password })
})

const bad: readonly (readonly [held: string | Buffer, why: RegExp])[] = [
  ['', /empty/],
  ['\n', /empty/],
  ['eleven char', /shorter than 12 characters/],
  ['eleven char\n', /shorter than 12 characters/],
  // Twelve UTF-16 units, and 24 bytes.
  ['🐎🐎🐎🐎🐎🐎', /shorter than 12 characters/],
  ['two lines\nof a password', /more than one line/],
  ['correct horse\n\n', /more than one line/],
  ['correct\0horse battery', /control characters/],
  ['x'.repeat(1025), /longer than 1024 bytes/],
  [Buffer.from('636f727265637420686f727365ff', 'hex'), /not UTF-8/],
]
test('what cannot be a password is told, and never shown', () => {
  for (const [held, why] of bad) {
    const found = passwordInFile(Buffer.from(held))
    assert.ok('invalid' in found, String(held))
    assert.match(found.invalid, why)
    assert.doesNotMatch(found.invalid, /horse|eleven|🐎/)
  }
})
