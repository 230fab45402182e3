import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fit } from './downgrade.ts'
import type { Offered, Wanted } from './downgrade.ts'

const facts = {
  size: 1000,
  eightBit: false,
  eightBitHeader: false,
  dotLines: false,
  longestLine: 70,
  endsWithCrlf: true,
}
const plain: Wanted = { from: 'a@example.org', to: ['b@example.com'], smtputf8: false, facts }
const eightBit = { ...facts, eightBit: true }
const international = { ...eightBit, eightBitHeader: true }
const all: Offered = { eightBitMime: true, smtputf8: true, size: 0 }
const nothing: Offered = { eightBitMime: false, smtputf8: false, size: 0 }
const only8bit: Offered = { eightBitMime: true, smtputf8: false, size: 0 }

test('what goes where, row by row', () => {
  const rows: [what: string, wanted: Wanted, offered: Offered, expected: string][] = [
    ['plain mail goes everywhere', plain, nothing, 'a@example.org > b@example.com'],
    ['8-bit with 8BITMIME', { ...plain, facts: eightBit }, all, 'a@example.org > b@example.com 8'],
    ['8-bit without', { ...plain, facts: eightBit }, nothing, '5.6.3'],
    ['too large for the host', plain, { ...all, size: 999 }, '5.3.4'],
    ['just fits', plain, { ...all, size: 1000 }, 'a@example.org > b@example.com'],
    ['asked for but not needed', { ...plain, smtputf8: true }, nothing, 'a@example.org > b@example.com'],
    ['8-bit header never declared', { ...plain, facts: international }, only8bit, 'a@example.org > b@example.com 8'],
    [
      'international header with SMTPUTF8',
      { ...plain, smtputf8: true, facts: international },
      all,
      'a@example.org > b@example.com 8 utf8',
    ],
    ['international header without', { ...plain, smtputf8: true, facts: international }, only8bit, '5.6.7'],
    [
      'international addresses with SMTPUTF8',
      { ...plain, to: ['bärbel@bücher.example'] },
      all,
      'a@example.org > bärbel@bücher.example utf8',
    ],
    ['international local part without', { ...plain, to: ['bärbel@example.com'] }, only8bit, 'a@example.org > 5.6.7'],
    [
      'an international domain goes as A-labels',
      { ...plain, to: ['b@bücher.example', 'bärbel@example.com'] },
      only8bit,
      'a@example.org > b@xn--bcher-kva.example 5.6.7',
    ],
    ['international sender without', { ...plain, from: 'ä@example.org' }, only8bit, '5.6.7'],
  ]
  for (const [what, wanted, offered, expected] of rows) {
    const result = fit(wanted, offered)
    const shown =
      result.is === 'refused'
        ? result.refusal.status
        : `${result.from} > ${result.to.map((to) => (typeof to === 'string' ? to : to.status)).join(' ')}` +
          `${result.sayEightBit ? ' 8' : ''}${result.saySmtputf8 ? ' utf8' : ''}`
    assert.equal(shown, expected, what)
  }
})
