import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CLI_SETTINGS, inImage } from './command-line.ts'

const environment = {
  PATH: '/bin',
  POSTHOUSE_NATS_USER: 'edge',
  POSTHOUSE_NATS_SERVERS: 'nats:4222',
  POSTHOUSE_NAME: 'a',
}

test('the queue of a container is that of its settings for the command line, and the user of its service does not count', () => {
  assert.deepEqual(inImage(['queue', 'count', '--json'], environment, true), {
    args: ['queue', 'count', '--json', '--config', CLI_SETTINGS],
    environment: { PATH: '/bin', POSTHOUSE_NAME: 'a' },
  })
})

test('all else stays as it was said', () => {
  for (const [args, hasSettings] of [
    [['queue', 'count'], false],
    [['queue', 'count', '--config', 'other.yaml'], true],
    [['queue', 'count', '--config=other.yaml'], true],
    [['queue', 'list', '--data', 'folder'], true],
    [['queue', 'count', '--help'], true],
    [['queue'], true],
    [['user', 'list'], true],
    [['config', 'check', 'edge', '--config', 'edge.yaml'], true],
    [[], true],
  ] as const) {
    assert.deepEqual(inImage(args, environment, hasSettings), { args, environment }, args.join(' '))
  }
})
