import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseCommandLine } from './options.ts'

const ROOT = '/checkout'

test('without arguments: a cluster of three in the checkout, on the default ports, restarting what is killed', () => {
  assert.deepEqual(parseCommandLine([], ROOT), {
    is: 'options',
    options: {
      nodes: 3,
      smarthost: undefined,
      dir: '/checkout/.posthouse/local',
      basePort: 2500,
      restart: true,
      admin: true,
      json: false,
    },
  })
})

test('every option is understood', () => {
  const args = '--nodes 1 --smarthost [::1]:2025 --data here --base-port 20000 --no-restart --no-admin --json'.split(
    ' ',
  )
  assert.deepEqual(parseCommandLine(args, ROOT), {
    is: 'options',
    options: {
      nodes: 1,
      smarthost: '[::1]:2025',
      dir: join(process.cwd(), 'here'),
      basePort: 20000,
      restart: false,
      admin: false,
      json: true,
    },
  })
})

test('all mistakes are named at once, each with its option', () => {
  const read = parseCommandLine(['--nodes', '2', '--smarthost', 'here', '--base-port', '80', '--data='], ROOT)
  assert.deepEqual(read, {
    is: 'wrong',
    errors: [
      '--nodes: must be 3 or 1, not "2"',
      '--smarthost: must be HOST:PORT, such as 127.0.0.1:25, not "here"',
      '--base-port: must be a number from 1024 to 65436, not "80"',
      '--data: must be a folder',
    ],
  })
})

test('an unknown option, a missing value and a stray word are mistakes', () => {
  for (const args of [['--node', '3'], ['--nodes'], ['now']]) assert.equal(parseCommandLine(args, ROOT).is, 'wrong')
})

test('--help wins', () => {
  assert.deepEqual(parseCommandLine(['--help', '--nodes', '9'], ROOT), { is: 'help' })
})
