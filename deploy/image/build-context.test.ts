// What deploy/Dockerfile and .dockerignore put into the image, held against what its programs load.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkoutFiles, copiedInto, read, sentToBuilder, stagesOf } from './test/build-context.ts'
import { closureOf } from './test/import-closure.ts'

const dockerfile = read('deploy/Dockerfile')
const stages = stagesOf(dockerfile)
const checkout = checkoutFiles()
const sent = sentToBuilder(read('.dockerignore'), checkout)
const manifest = JSON.parse(read('package.json')) as {
  readonly version: string
  readonly dependencies: Readonly<Record<string, string>>
  readonly workspaces: readonly string[]
}
const entry = read('deploy/image/entry.ts')
const programs = [...entry.matchAll(/^ {2}\w+: '([^']+\.ts)',$/gm)].map(([, file]) => file ?? '')
const mains = [...programs, 'deploy/image/entry.ts', 'deploy/image/is-ready.ts']
/** What the image is made of is run where it lies in the checkout. */
const image = copiedInto(stages, 'posthouse', sent)

test('every service has its word, and a file behind it', () => {
  const services = checkout.filter(
    (file) => /^services\/[^/]+\/main\.ts$/.test(file) && read(file).includes('runService('),
  )
  assert.ok(services.length >= 2)
  for (const main of services) assert.ok(programs.includes(main), `${main} is no program of deploy/image/entry.ts`)
  for (const program of programs) assert.ok(checkout.includes(program), program)
})

test('all that the programs load is in the image, where they look for it', () => {
  const { files } = closureOf(mains, read, false)
  assert.ok(files.size > 100)
  const missing = [...files].filter((file) => image.get(file) !== file)
  assert.deepEqual(missing, [])
})

test('nothing else is in the image', () => {
  const { files } = closureOf(mains, read, true)
  const others = [...image.values()].filter((file) => !files.has(file) && !/(^|\/)package\.json$|^LICENSE$/.test(file))
  assert.deepEqual(others, [])
})

test('no test, fixture or tool reaches a builder at all', () => {
  const odd = sent.filter((file) =>
    /\.(test|bench|contract)\.ts$|(^|\/)(test|fixtures|golden|\.\w+)(\/|$)|\.md$/.test(file),
  )
  assert.deepEqual(odd, [])
})

test('the packages that the programs name are installed without those for development', () => {
  const { packages } = closureOf(mains, read, false)
  // pino-pretty is asked for by a setting, and its absence answered with a sentence.
  const absent = [...packages.keys()].filter(
    (name) => name !== 'pino-pretty' && manifest.dependencies[name] === undefined,
  )
  assert.deepEqual(absent, [])
})

test('the load test has the files that it and the testkit have in the checkout', () => {
  const loadtest = copiedInto(stages, 'loadtest', sent)
  const expected = checkout.filter(
    (file) =>
      /^(loadtest|libs\/testkit)\//.test(file) &&
      !/\.test\.ts$|\/(test|fixtures)\/|^libs\/testkit\/simulator\//.test(file),
  )
  assert.ok(expected.length > 50)
  assert.deepEqual(
    expected.filter((file) => loadtest.get(file) !== file),
    [],
  )
})

test('the load against a Posthouse that runs elsewhere finds all that it loads in its image', () => {
  const loadtest = copiedInto(stages, 'loadtest', sent)
  const remote = ['loadtest/main.ts', 'loadtest/commands/remote.ts', 'loadtest/remote/remote-control.ts']
  // Of the commands that main.ts offers only these are read when they are asked for.
  const main = read('loadtest/main.ts').replaceAll(/await import\('[^']+'\)/g, '')
  const { files, packages } = closureOf(remote, (file) => (file === 'loadtest/main.ts' ? main : read(file)), false)
  assert.ok(files.size > 10)
  assert.deepEqual(
    [...files].filter((file) => loadtest.get(file) !== file),
    [],
  )
  assert.deepEqual(
    [...packages.keys()].filter((name) => manifest.dependencies[name] === undefined),
    [],
  )
})

test('npm finds the manifest of every workspace', () => {
  const patterns = manifest.workspaces.map((glob) => new RegExp(`^${glob.replace('*', '[^/]+')}/package\\.json$`))
  const wanted = checkout.filter((file) => patterns.some((pattern) => pattern.test(file)))
  const copied = copiedInto(stages, 'packages', sent)
  assert.deepEqual([...copied.values()].toSorted(), [...wanted, 'package-lock.json', 'package.json'].toSorted())
  for (const [target, file] of copied) assert.equal(target, file)
})

test('the image says the version of the tree, runs as a number and is the last stage', () => {
  const service = stages.find(({ name }) => name === 'service')?.lines ?? []
  assert.ok(service.includes(`ARG VERSION=${manifest.version}`), 'ARG VERSION')
  for (const { name } of stages.filter((stage) => stage.name === 'service' || stage.from === 'service')) {
    const users = (stages.find((stage) => stage.name === name)?.lines ?? []).filter((line) => line.startsWith('USER '))
    if (name !== 'posthouse') assert.equal(users.at(-1), 'USER 10001:10001', name)
  }
  assert.deepEqual(stages.at(-1), { name: 'posthouse', from: 'service', lines: [] })
})
