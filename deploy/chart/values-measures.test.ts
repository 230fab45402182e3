import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { checkValue } from '@posthouse/runtime/settings/check'
import type { BytesRow, DurationRow } from '@posthouse/runtime/settings/table'
import { parseBytes, parseDuration } from '@posthouse/runtime/settings/units'
import { lessThan, measureSchema, moreThan } from './values-measures.ts'
import { misfits } from './values-validator.ts'

type Row = DurationRow | BytesRow

const UNITS = { duration: ['d', 'h', 'm', 's', 'ms'], bytes: ['B', 'KiB', 'MiB', 'GiB', 'TiB'] } as const
const DESCENDING: readonly string[] = UNITS.duration

const loaderTakes = (row: Row, text: string) => checkValue(row, text).ok
const schemaTakes = (row: Row, text: string) => misfits(measureSchema(row), text).length === 0

const size = (type: Row['type'], text: string) => (type === 'duration' ? parseDuration(text) : parseBytes(text)) ?? 0

/** A row, and a count of a unit that is mostly near one of the ends of its range. */
const cases = fc
  .record({
    type: fc.constantFrom('duration' as const, 'bytes' as const),
    least: fc.option(fc.tuple(fc.nat(2000), fc.nat(4))),
    most: fc.option(fc.tuple(fc.integer({ min: 1, max: 20_000 }), fc.nat(4))),
    unit: fc.nat(4),
    end: fc.constantFrom('least', 'most', 'none'),
    off: fc.integer({ min: -12, max: 12 }),
    free: fc.nat(1_000_000),
  })
  .map(({ type, least, most, unit, end, off, free }) => {
    const text = ([count, at]: readonly [number, number]) => `${count}${UNITS[type][at]}`
    const row: Row = {
      type,
      help: '',
      ...(least === null ? {} : { min: text(least) }),
      ...(most === null ? {} : { max: text(most) }),
    }
    const limit = end === 'least' ? row.min : end === 'most' ? row.max : undefined
    const near = limit === undefined ? free : Math.floor(size(type, limit) / size(type, `1${UNITS[type][unit]}`)) + off
    return { row, count: Math.max(0, near), unit: UNITS[type][unit] ?? '' }
  })

test('of one number with one unit the schema takes just what the loader takes', () => {
  const zeros = fc.constantFrom('', '0', '000')
  let taken = 0
  fc.assert(
    fc.property(cases, zeros, ({ row, count, unit }, zero) => {
      const text = `${zero}${count}${unit}`
      fc.pre(row.type === 'duration' || size('bytes', `1${unit}`) * count < 2 ** 53)
      assert.equal(schemaTakes(row, text), loaderTakes(row, text), `${JSON.stringify(row)} ${text}`)
      if (loaderTakes(row, text)) taken++
    }),
    { numRuns: 3000 },
  )
  assert.ok(taken > 300, `only ${taken} were taken`)
})

test('whatever else the loader takes, sums and decimals, the schema takes too', () => {
  const more = fc.array(fc.tuple(fc.nat(120), fc.nat(4)), { maxLength: 3 })
  const decimals = fc.oneof(
    fc.constant(''),
    fc.stringMatching(/^\.[0-9]{1,6}$/),
    fc.stringMatching(/^\.(0{2,6}|9{2,6})[0-9]{0,2}$/),
  )
  let taken = 0
  fc.assert(
    fc.property(cases, decimals, more, ({ row, count, unit }, decimal, others) => {
      const parts = [[count + decimal, unit], ...others.map(([n, at]) => [String(n), DESCENDING[at]])] as [
        string,
        string,
      ][]
      const text =
        row.type === 'bytes'
          ? `${count}${decimal} ${unit}`
          : parts
              .toSorted(([, a], [, b]) => DESCENDING.indexOf(a) - DESCENDING.indexOf(b))
              .flat()
              .join('')
      if (!loaderTakes(row, text)) return
      taken++
      assert.deepEqual(misfits(measureSchema(row), text), [], `${JSON.stringify(row)} ${text}`)
    }),
    { numRuns: 6000 },
  )
  assert.ok(taken > 300, `only ${taken} were taken`)
})

test('what is no measure at all is refused', () => {
  for (const text of ['', '10', '1 s', '-1s', '30m1h', '1.5h', '.5s', '5minutes', '5m\n', '1e3s'])
    assert.ok(!schemaTakes({ type: 'duration', help: '' }, text), text)
  for (const text of ['', '64', '64MB', '64  MiB', '-1B', '1.MiB', '64mib', 'MiB'])
    assert.ok(!schemaTakes({ type: 'bytes', help: '' }, text), text)
})

test('a sum or a decimal well outside of the range is refused', () => {
  const hour: Row = { type: 'duration', min: '1s', max: '1h', help: '' }
  for (const text of ['1h30m', '1h1ms', '0h61m', '1h0.5s', '3600.5s', '2h0m', '0.5s', '60m1s', '1d0h'])
    assert.ok(!schemaTakes(hour, text), text)
  for (const text of ['59m59s', '1h0m', '60m', '3600.0s', '1.5s', '0.9996s', '0d1h', '30m500ms', '5000ms'])
    assert.ok(schemaTakes(hour, text), text)
  const size: Row = { type: 'bytes', min: '64KiB', max: '2GiB', help: '' }
  for (const text of ['2.5GiB', '63.5KiB', '0.5KiB', '3 GiB']) assert.ok(!schemaTakes(size, text), text)
  for (const text of ['1.5GiB', '64.5KiB', '2.0GiB', '0.5MiB']) assert.ok(schemaTakes(size, text), text)
})

test('patterns of less and of more divide the whole numbers', () => {
  fc.assert(
    fc.property(fc.nat(12_000), fc.nat(12_000), (limit, n) => {
      const less = lessThan(limit)
      assert.equal(less !== undefined && new RegExp(`^(${less})$`).test(String(n)), n < limit, `${n} < ${limit}`)
      assert.equal(new RegExp(`^(${moreThan(limit)})$`).test(String(n)), n > limit, `${n} > ${limit}`)
    }),
    { numRuns: 5000 },
  )
})
