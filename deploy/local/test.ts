// `npm test`: sets up what the tests need, then becomes node's own test runner, whose lines are the last. Takes test files
// and the runner's options as arguments: `npm test -- libs/core/reply.test.ts --test-name-pattern "a refused"`.

import { spawnSync } from 'node:child_process'
import { existsSync, globSync } from 'node:fs'
import { join, resolve, sep } from 'node:path'
import { checkoutRoot } from '@posthouse/testkit/tool'
import { ensureHelm } from '../chart/helm-build.ts'
import { ensureNatsServer } from './nats-server.ts'

const FILES = ['libs/**/*.test.ts', 'services/**/*.test.ts', 'loadtest/**/*.test.ts', 'deploy/**/*.test.ts']
/** Test files at once: many of them wait for an election most of the time, but all share the cores. */
const CONCURRENCY = 2
const LONGEST_TEST_MS = 600_000

const say = (line: string) => process.stderr.write(`posthouse: ${line}\n`)

const given = process.argv.slice(2)
const namesFiles = given.some((argument) => !argument.startsWith('-') && existsSync(argument))
const ofChart = (argument: string) => resolve(argument).startsWith(join(checkoutRoot(), 'deploy', 'chart') + sep)

try {
  await ensureNatsServer(say)
  if (!namesFiles || given.some(ofChart)) await ensureHelm(say)
  if (spawnSync('openssl', ['version']).status !== 0) {
    throw new Error('the tests make certificates with openssl, which is not installed: apt-get install openssl')
  }
} catch (error) {
  say((error as Error).message)
  process.exit(1)
}

if (!namesFiles) process.chdir(checkoutRoot())
const files = namesFiles ? [] : globSync(FILES, { exclude: (path) => path === 'node_modules' }).toSorted()
const options = ['--test', `--test-concurrency=${CONCURRENCY}`, `--test-timeout=${LONGEST_TEST_MS}`]
process.execve?.(process.execPath, [process.execPath, ...options, ...given, ...files], process.env)
