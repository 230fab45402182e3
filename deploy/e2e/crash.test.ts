import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { crashOf } from './crash.ts'

test('a NATS server is ended by the signal that makes it stop at once, wherever its process stands', () => {
  const { command, status } = crashOf('nats')
  assert.match(command.join(' '), /kill -QUIT .*nats\.pid/)
  assert.equal(status, 2)
})

test('a service in Node is left through its debugger without running anything of its own', async (t) => {
  // Stands in for process 1 of a container; the port of the debugger is one that nobody else has.
  const program = `
    process.on('exit', () => console.log('exit was heard'))
    process.on('SIGTERM', () => console.log('SIGTERM was heard'))
    setInterval(() => {}, 1000)
    console.log('runs')
  `
  const service = spawn(process.execPath, ['--inspect-port=0', '--eval', program], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.after(() => service.kill('SIGKILL'))
  let said = ''
  let heard = ''
  service.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
  service.stderr.setEncoding('utf8').on('data', (text: string) => (heard += text))
  await once(service.stdout, 'data')
  const port = new Promise<string>((resolve) => {
    service.stderr.on('data', () => {
      const [, found] = /ws:\/\/127\.0\.0\.1:(\d+)\//.exec(heard) ?? []
      if (found !== undefined) resolve(found)
    })
  })
  const { command, status } = crashOf('edge')
  const [, ...args] = command
  const script = args.at(-1) ?? ''
  process.kill(service.pid ?? assert.fail(), 'SIGUSR1')
  const here = script.replace('process.kill(1, ', `process.kill(${service.pid}, `).replace(':9229/', `:${await port}/`)
  assert.notEqual(here, script)
  const ended = once(service, 'close')
  const crash = spawn(process.execPath, [...args.slice(0, -1), here], { stdio: 'inherit' })
  t.after(() => crash.kill('SIGKILL'))
  const [code] = (await ended) as [number | null]
  assert.equal(code, status)
  assert.equal(said, 'runs\n')
})
