/** The committer against a model of the servers: whatever is lost, late or refused, it never says anything wrong. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { PublishAnswer } from './answer.ts'
import { Committer, COMMITTER_DEFAULTS, type CommitterSettings } from './committer.ts'
import type { Batch } from './pending-batch.ts'

const SETTINGS: CommitterSettings = { ...COMMITTER_DEFAULTS, partitions: 3, maxRecords: 4, maxBytes: 1000 }
const LOST: PublishAnswer = { is: 'unanswered' }
const stored = (seq: number): PublishAnswer => ({ is: 'stored', seq, duplicate: false })

/**
 * A server that does with each try what the script says: it may arrive late, be refused, be stored, and its answer may be
 * lost or late. The same id is stored once; a try that meets another one on its way is answered in-flight.
 */
interface TryScript {
  readonly arrivesAfter: number
  readonly does: 'store' | 'no-leader' | 'full' | 'other' | 'vanish'
  readonly storesAfter: number
  readonly answersAfter: number
  readonly answerLost: boolean
}
const tryScript: fc.Arbitrary<TryScript> = fc.record({
  arrivesAfter: fc.oneof({ weight: 4, arbitrary: fc.constant(1) }, fc.integer({ min: 1, max: 8000 })),
  does: fc.oneof(
    { weight: 5, arbitrary: fc.constant('store' as const) },
    fc.constantFrom('no-leader' as const, 'full' as const, 'other' as const, 'vanish' as const),
  ),
  storesAfter: fc.oneof({ weight: 4, arbitrary: fc.constant(2) }, fc.integer({ min: 1, max: 3000 })),
  answersAfter: fc.oneof({ weight: 4, arbitrary: fc.constant(1) }, fc.integer({ min: 1, max: 6000 })),
  answerLost: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.constant(true)),
})
const offerScript = fc.record({
  after: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 2000 })),
  size: fc.integer({ min: 1, max: 600 }),
  bound: fc.option(fc.integer({ min: 0, max: 2 }), { nil: undefined, freq: 5 }),
})

describe('the committer against a model of the servers', () => {
  it('never says anything wrong, whatever is lost, late or refused', () => {
    const property = fc.property(
      fc.array(offerScript, { minLength: 1, maxLength: 25 }),
      fc.array(tryScript, { minLength: 1, maxLength: 40 }),
      fc.integer(),
      (offers, tries, seed) => run(offers, tries, seed),
    )
    fc.assert(property, { numRuns: 500 })
  })
})

interface Offer {
  readonly after: number
  readonly size: number
  readonly bound: number | undefined
}
/** What the model knows of one batch id. */
interface Known {
  readonly batch: Batch<number>
  readonly firstAt: number
  /** Tries begun, and those whose refusal was delivered. */
  tries: number
  readonly refused: Set<number>
  processing: boolean
  seq: number | undefined
}

function run(offers: readonly Offer[], scripts: readonly TryScript[], seed: number): void {
  const settings = { ...SETTINGS, giveUpMs: 20_000 }
  const random = chance(seed)
  let ids = 0
  let seq = 0
  let now = 0
  let used = 0
  const committer = new Committer<number>(settings, random, () => `b${++ids}`)
  const agenda: { at: number; run: () => void }[] = []
  const later = (ms: number, work: () => void) => agenda.push({ at: now + ms, run: work })
  const known = new Map<string, Known>()
  const lastOn = new Map<number, Known>()
  const fates = new Map<number, string>()

  function checkNew(batch: Batch<number>): void {
    const before = lastOn.get(batch.partition)
    if (before !== undefined) {
      const settled = before.batch.items.every((item) => fates.has(item)) || before.refused.size === before.tries
      assert(settled, 'one batch on its way per partition')
    }
    assert(batch.items.length <= settings.maxRecords)
    const bytes = batch.items.reduce((sum, item) => sum + (offers[item] as Offer).size, 0)
    assert(bytes <= settings.maxBytes || batch.items.length === 1)
  }

  function publish(batch: Batch<number>, number: number): void {
    let its = known.get(batch.id)
    if (its === undefined) {
      checkNew(batch)
      its = { batch, firstAt: now, tries: 0, refused: new Set(), processing: false, seq: undefined }
      known.set(batch.id, its)
      lastOn.set(batch.partition, its)
    }
    assert.equal(its.batch, batch, 'repeated unchanged')
    assert.equal(number, its.tries++)
    assert(now - its.firstAt < settings.giveUpMs)
    for (const item of batch.items) {
      const { bound } = offers[item] as Offer
      assert(bound === undefined || bound === batch.partition, 'a record stays with its body')
      assert.equal(fates.get(item), undefined)
    }
    tryOnce(its, number, scripts[used++] ?? WELL)
  }

  function tryOnce(its: Known, number: number, script: TryScript): void {
    const deliver = (ms: number, answer: PublishAnswer) =>
      later(ms, () => {
        if (answer.is === 'refused' && answer.why !== 'in-flight') its.refused.add(number)
        committer.answered(its.batch, number, answer, now)
      })
    const answer = (value: PublishAnswer) => {
      if (!script.answerLost) deliver(script.answersAfter, value)
    }
    deliver(3000, LOST)
    later(script.arrivesAfter, () => {
      if (script.does === 'vanish') return
      if (script.does !== 'store') answer({ is: 'refused', why: script.does })
      else if (its.seq !== undefined) answer({ is: 'stored', seq: its.seq, duplicate: true })
      else if (its.processing) answer({ is: 'refused', why: 'in-flight' })
      else {
        its.processing = true
        later(script.storesAfter, () => {
          its.processing = false
          its.seq = ++seq
          answer(stored(seq))
        })
      }
    })
  }

  function take(): void {
    for (const effect of committer.take()) {
      if (effect.do === 'publish') publish(effect.batch, effect.number)
      if (effect.do !== 'done') continue
      for (const item of effect.items) {
        assert.equal(fates.get(item), undefined, 'one fate per item')
        fates.set(item, effect.fate.is)
        if (effect.fate.is === 'stored') assert.equal(copies(item), 1, 'stored is stored')
      }
    }
  }
  function copies(item: number): number {
    return [...known.values()].filter((its) => its.seq !== undefined && its.batch.items.includes(item)).length
  }

  let at = 0
  for (const [item, offer] of offers.entries()) {
    at += offer.after
    const give = () => {
      const refused = committer.offer(item, offer.size, now, offer.bound)
      if (refused !== undefined) fates.set(item, refused.is)
    }
    agenda.push({ at, run: give })
  }

  for (let step = 0; step < 20_000; step++) {
    const wake = committer.wakeAt(now)
    agenda.sort((a, b) => a.at - b.at)
    const next = agenda[0]
    if (next === undefined && wake === Infinity) break
    if (next !== undefined && next.at <= wake) {
      agenda.shift()
      now = next.at
      next.run()
    } else {
      assert(wake > now, 'woken in the past')
      now = wake
    }
    take()
    committer.pump(now, true)
    take()
  }

  assert.equal(committer.items, 0, 'everything has its fate in the end')
  assert.equal(committer.heldBytes, 0)
  for (const item of offers.keys()) {
    const fate = fates.get(item)
    assert(fate !== undefined)
    assert(copies(item) <= 1, `item ${item} is stored ${copies(item)} times`)
    if (fate === 'stored') assert.equal(copies(item), 1)
    if (fate === 'refused') assert.equal(copies(item), 0, `item ${item} was refused and is stored`)
  }
}

/** After the script all is well. */
const WELL: TryScript = { arrivesAfter: 1, does: 'store', storesAfter: 2, answersAfter: 1, answerLost: false }

function chance(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    return (state >>> 0) / 2 ** 32
  }
}
