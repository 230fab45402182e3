import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Lifecycle } from './lifecycle.ts'

function build(options: { notReadyFor?: number; deadline?: number } = {}) {
  const story: string[] = []
  const say =
    (level: string) =>
    (fields: object, message: string): void =>
      void story.push(`${level} ${message} ${JSON.stringify(fields)}`)
  const lifecycle = new Lifecycle({
    log: { info: say('info'), warn: say('warn'), error: say('error') },
    notReadyFor: options.notReadyFor ?? 0,
    deadline: options.deadline ?? 60_000,
    onStopping: (reason) => void story.push(`not ready: ${reason}`),
  })
  return { lifecycle, story }
}

test('a stop says not ready, closes, waits for activities, and takes the stack down in reverse', async () => {
  const { lifecycle, story } = build()
  lifecycle.onStop('first', () => void story.push('down first'))
  lifecycle.onStop('second', async () => {
    await Promise.resolve()
    story.push('down second')
  })
  lifecycle.onClose('listener', () => {
    story.push(`close in phase ${lifecycle.phase}`)
    activity?.end()
  })
  lifecycle.stopping.addEventListener('abort', () => story.push('aborted'))
  const activity = lifecycle.activities.begin('session')
  lifecycle.running()
  lifecycle.stop('SIGTERM')
  lifecycle.stop('again')
  assert.equal(await lifecycle.done, 0)
  assert.equal(lifecycle.phase, 'stopped')
  assert.deepEqual(story, [
    'info stopping {"reason":"SIGTERM"}',
    'not ready: SIGTERM',
    'aborted',
    'close in phase closing',
    'down second',
    'down first',
  ])
})

test('what is waited for is named', async () => {
  const { lifecycle, story } = build()
  lifecycle.onStop('stack', () => void story.push('down'))
  const activity = lifecycle.activities.begin('attempt')
  lifecycle.running()
  lifecycle.stop('SIGTERM')
  assert.equal(lifecycle.activities.begin('attempt'), undefined)
  assert.equal(story.at(-1), 'info waiting for what is under way {"underWay":{"attempt":1}}')
  activity?.end()
  assert.equal(await lifecycle.done, 0)
  assert.equal(story.at(-1), 'down')
})

test('new work is still taken while the node only says that it is not ready', async () => {
  const { lifecycle } = build({ notReadyFor: 1 })
  lifecycle.running()
  lifecycle.stop('SIGTERM')
  assert.equal(lifecycle.phase, 'not ready')
  assert.equal(lifecycle.stopping.aborted, false)
  const activity = lifecycle.activities.begin('session')
  assert.ok(activity)
  activity.end()
  assert.equal(await lifecycle.done, 0)
})

test('the deadline cuts a stop off and says what was under way', async () => {
  const { lifecycle, story } = build({ deadline: 1 })
  lifecycle.activities.begin('attempt')
  lifecycle.running()
  lifecycle.stop('SIGTERM')
  assert.equal(await lifecycle.done, 1)
  assert.equal(
    story.at(-1),
    'error stop cut off by stop.deadline {"phase":"finishing","deadline":1,"underWay":{"attempt":1}}',
  )
})

test('a step that fails spoils the status and nothing else', async () => {
  const { lifecycle, story } = build()
  lifecycle.onStop('first', () => void story.push('down first'))
  lifecycle.onStop('second', () => Promise.reject(new Error('broken')))
  lifecycle.running()
  lifecycle.stop('SIGTERM')
  assert.equal(await lifecycle.done, 1)
  assert.ok(story.some((line) => line.startsWith('error a step of the stop failed {"step":"second"')))
  assert.equal(story.at(-1), 'down first')
})

test('what cannot go on stops in good order with status 1', async () => {
  const { lifecycle, story } = build()
  lifecycle.onStop('first', () => void story.push('down first'))
  lifecycle.running()
  lifecycle.fail('the queue is gone')
  assert.equal(await lifecycle.done, 1)
  assert.equal(story.at(-1), 'down first')
})

test('a start that failed half-way takes down what was set up, at once and silently', async () => {
  const { lifecycle, story } = build({ notReadyFor: 60_000 })
  lifecycle.onStop('half', () => void story.push('down half'))
  lifecycle.abandon(70, 'could not start')
  assert.equal(await lifecycle.done, 70)
  assert.deepEqual(story, ['not ready: could not start', 'down half'])
})

test('what a start registers after a stop has overtaken it is closed and taken down all the same', async () => {
  const { lifecycle, story } = build()
  lifecycle.stop('SIGTERM')
  lifecycle.onClose('late listener', () => void story.push('close late listener'))
  lifecycle.onStop('late part', () => void story.push('down late part'))
  assert.equal(await lifecycle.done, 0)
  lifecycle.onStop('too late', () => void story.push('down too late'))
  assert.deepEqual(story, ['not ready: SIGTERM', 'close late listener', 'down late part', 'down too late'])
})
