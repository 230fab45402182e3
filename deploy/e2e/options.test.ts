import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseCommandLine } from './options.ts'

const STEPS = ['install', 'upgrade']
const IMAGES = ['--image', 'posthouse:2', '--load-image', 'posthouse-loadtest:2']
const parse = (...args: readonly string[]) => parseCommandLine(args, '/checkout', STEPS)

test('two images are enough', () => {
  const line = parse(...IMAGES)
  assert.ok(line.is === 'run')
  const { options } = line
  assert.equal(options.namespace, 'posthouse-e2e')
  assert.equal(options.chart, '/checkout/helm/posthouse')
  assert.deepEqual(options.previousImage, options.image)
  assert.deepEqual([options.keep, options.mayDrain, options.json, options.writeDocs], [false, false, false, false])
})

test('a command that breaks nodes may drain them, too', () => {
  const line = parse(...IMAGES, '--node-command', './node')
  assert.ok(line.is === 'run')
  assert.equal(line.options.mayDrain, true)
})

test('what is installed first may be another image', () => {
  const line = parse(
    ...IMAGES,
    '--previous-image',
    'posthouse:1',
    '--values',
    'a.yaml',
    '--values',
    '/b.yaml',
    '--only',
    'upgrade,',
  )
  assert.ok(line.is === 'run')
  assert.equal(line.options.previousImage.tag, '1')
  assert.equal(line.options.values.length, 2)
  assert.deepEqual(line.options.only, ['upgrade'])
})

test('every mistake is told at once', () => {
  const line = parse(
    '--image',
    'posthouse',
    '--namespace',
    'No',
    '--rate',
    '0',
    '--timeout',
    'x',
    '--only',
    'upgrade,frob',
  )
  assert.ok(line.is === 'wrong')
  assert.deepEqual(
    line.errors.map((error) => error.split(':')[0]),
    ['--image', '--load-image', '--only', '--namespace', '--rate', '--timeout'],
  )
})

test('an option that is not there is told by its name', () => {
  const line = parse(...IMAGES, '--frob')
  assert.ok(line.is === 'wrong')
  assert.match(line.errors[0] ?? '', /--frob/)
})

test('help and list want no images', () => {
  assert.equal(parse('--help').is, 'help')
  assert.equal(parse('--list').is, 'list')
})
