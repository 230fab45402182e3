import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { newPassword } from './new-password.ts'
import type { Given } from './command.ts'
import type { Input, World } from './world.ts'

/** A terminal at which these keys are pressed, one chunk after the other. */
function terminal(keys: readonly string[]) {
  const input = new PassThrough() as PassThrough & Input
  const shown = new PassThrough()
  const modes: boolean[] = []
  const tty = Object.assign(input, { isTTY: true, setRawMode: (raw: boolean) => modes.push(raw) })
  for (const key of keys) input.write(key)
  return { tty, shown, modes }
}

async function typed(keys: readonly string[]) {
  const { tty, shown, modes } = terminal(keys)
  const given: Given = { operands: [], value: () => undefined, values: () => [], has: () => false }
  const world = { input: tty as Input, errors: shown } as Pick<World, 'input' | 'errors'> as World
  const password = await newPassword(given, 'anna', world)
  return { password, modes, prompts: String(shown.read()) }
}

test('a password typed twice is taken, and the terminal never shows it', async () => {
  const { password, prompts, modes } = await typed(['se', 'same\r', 'sesame\r'])
  assert.equal(password, 'sesame')
  assert.equal(prompts, 'New password of anna: \nOnce more: \n')
  assert.deepEqual(modes, [true, false, true, false])
})

test('what is pasted ahead answers the second question', async () => {
  assert.equal((await typed(['sesame\nsesame\n'])).password, 'sesame')
})

test('backspace takes back one character, Ctrl-U the line', async () => {
  assert.equal((await typed(['wrong\x15sésaü\x7fme\r', 'sésame\r'])).password, 'sésame')
})

test('a character that arrives in two chunks is one', async () => {
  const [first, second] = [Buffer.from('é').subarray(0, 1), Buffer.from('é').subarray(1)]
  const { tty, shown } = terminal([])
  tty.write(first)
  tty.write(second)
  tty.write('\ré\r')
  const given: Given = { operands: [], value: () => undefined, values: () => [], has: () => false }
  assert.equal(await newPassword(given, 'anna', { input: tty as Input, errors: shown } as unknown as World), 'é')
})

for (const [name, keys] of [
  ['two different words', ['a\r', 'b\r']],
  ['Ctrl-C', ['a\x03']],
  ['Ctrl-D', ['\x04']],
] as const) {
  test(`${name} end without a password, and with the terminal as it was`, async () => {
    const { password, modes } = await typed(keys)
    assert.ok(typeof password === 'object' && password.status === 1)
    assert.equal(modes.at(-1), false)
  })
}
