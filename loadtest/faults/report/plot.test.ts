import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Mark } from '../fault.ts'
import { placeLabels } from './labels.ts'
import { pausesOf, plot } from './plot.ts'
import { spansOf } from './spans.ts'
import { madeUpResult } from './test/made-up-result.ts'

const options = { title: 'Mail through <anything> & "all"', barMs: 1000 }

test('the same run gives the same bytes, in a process that has drawn others before', () => {
  const { timeline, marks } = madeUpResult()
  const first = plot(timeline, marks, options)
  plot(timeline, [], options)
  assert.equal(plot(timeline, marks, options), first)
})

test('the drawing is well-formed, white behind, and says what each line and mark is', () => {
  const { timeline, marks } = madeUpResult()
  const svg = plot(timeline, marks, options)
  assert.equal(unclosed(svg), '')
  assert.match(svg, /^<svg width="850" height="\d+"/)
  assert.match(svg, /<rect [^>]*fill="#ffffff"/)
  for (const text of ['accepted (messages)', 'delivered (recipients)', 'seconds', 'per second', 'kill -9 delivery-1']) {
    assert.ok(svg.includes(`>${text}<`), text)
  }
  assert.ok(svg.includes('Mail through &lt;anything&gt; &amp; &quot;all&quot;'))
})

test('more than six faults are numbered, and told below', () => {
  const hits = (count: number) => {
    return Array.from({ length: count }, (_, index): Mark => {
      return { at: 3000 + index * 4000, kind: 'hit', nodes: [`edge-${index}`], text: `kill -9 edge-${index}` }
    })
  }
  const { timeline } = madeUpResult()
  const few = plot(timeline, hits(6), options)
  assert.ok(few.includes('>kill -9 edge-5<') && !few.includes('at 2 s: '))
  const many = plot(timeline, hits(7), options)
  assert.ok(many.includes('>7<') && many.includes('>7  at 26 s: kill -9 edge-6<'))
})

test('seconds without an acceptance are shown as red where they last as long as the bar, and nowhere else', () => {
  assert.deepEqual(pausesOf([0, 5, 0, 0, 5, 0, 5], 2000), [{ from: 2, to: 4 }])
  assert.deepEqual(pausesOf([0, 5, 0, 0], 2000), [{ from: 2, to: 4 }])
  assert.deepEqual(pausesOf([0, 5, 0, 0, 5], null), [])
  const { timeline, marks } = madeUpResult()
  const accepted = timeline.accepted.with(10, 0)
  assert.ok(plot({ ...timeline, accepted }, marks, options).includes('red: nothing was accepted'))
  assert.ok(!plot(timeline, marks, options).includes('red: nothing was accepted'))
})

test('that nothing is accepted when sending has ended is no pause, but that it never comes back after a fault is one', () => {
  const { timeline, marks } = madeUpResult()
  const accepted = [...timeline.accepted, 0, 0, 0]
  assert.ok(!plot({ ...timeline, accepted }, marks, options).includes('red:'))
  const dead = timeline.accepted.map((count, second) => (second < 9 ? count : 0))
  assert.ok(plot({ ...timeline, accepted: dead }, marks, options).includes('red:'))
})

test('a run without marks, or without anything, can be drawn', () => {
  assert.equal(unclosed(plot({ startedAt: 0, accepted: [], delivered: [] }, [], options)), '')
})

test('a heal closes the hits of its nodes, or all of them when it names none that is open', () => {
  const mark = (at: number, kind: Mark['kind'], ...nodes: string[]): Mark => ({ at, kind, nodes, text: '' })
  const ends = (...marks: Mark[]) => spansOf(marks).map(({ from, to }) => [from, to])
  assert.deepEqual(ends(mark(1, 'hit', 'a'), mark(2, 'hit', 'b'), mark(3, 'heal', 'a'), mark(4, 'heal', 'b')), [
    [1, 3],
    [2, 4],
  ])
  assert.deepEqual(ends(mark(1, 'hit', 'a'), mark(2, 'hit', 'b'), mark(3, 'note', 'a'), mark(4, 'heal')), [
    [1, 4],
    [2, 4],
  ])
  assert.deepEqual(ends(mark(1, 'hit', 'a'), mark(3, 'heal', 'a'), mark(5, 'hit', 'a')), [
    [1, 3],
    [5, null],
  ])
})

test('labels stand in rows where they would cover each other or the line that leads up to one', () => {
  const rows = (...wanted: [x: number, width: number][]) => {
    return placeLabels(
      wanted.map(([x, width]) => ({ x, width })),
      500,
    ).map(({ row, align }) => `${row} ${align}`)
  }
  assert.deepEqual(rows([0, 50], [100, 50]), ['0 left', '0 left'])
  assert.deepEqual(rows([0, 120], [100, 50]), ['1 left', '0 left'])
  assert.deepEqual(rows([0, 120], [100, 120], [200, 50]), ['2 left', '1 left', '0 left'])
  assert.deepEqual(rows([480, 50]), ['0 right'])
})

/** The first thing that a reader of XML would stumble over; '' = nothing. */
function unclosed(xml: string): string {
  const open: string[] = []
  const rest = xml.replaceAll(/<!\[CDATA\[[^]*?\]\]>/g, '')
  for (const [tag, slash, name, attributes = '', alone] of rest.matchAll(
    /<(\/?)([\w-]+)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>|<[^>]*>?/g,
  )) {
    if (name === undefined || attributes.includes('<')) return tag
    if (slash === '/' ? open.pop() !== name : false) return tag
    if (slash === '' && alone === '') open.push(name)
  }
  return open.join()
}
