// Makes every fsync of chosen processes take longer, as on a slow disk: what nats-server waits for before it acknowledges.
//
// strace holds each such call back for the time. The throttle of the block cgroups was the other way, and is worse: it
// sets a rate instead of a delay, exists in two versions that a machine may or may not let root use, and leaves a changed
// group behind when its process is killed. strace leaves nothing: the processes go on as before when it ends, in any way.

import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { tethered } from '@posthouse/testkit/child-process'

const CALLS = 'fsync,fdatasync'
const ATTACH_WITHIN_MS = 10_000

export class SlowSyncs {
  readonly #pids: () => readonly number[]
  #tracer: ChildProcessByStdio<null, null, Readable> | undefined

  constructor(pids: () => readonly number[]) {
    this.#pids = pids
  }

  /** Applies to the processes that run now, from now on; 0 = as usual. One that is started later is as fast as ever. */
  async set(ms: number): Promise<void> {
    await this.#detach()
    const pids = this.#pids()
    if (ms > 0 && pids.length > 0) await this.#attach(ms, pids)
  }

  async #attach(ms: number, pids: readonly number[]): Promise<void> {
    const delay = `inject=${CALLS}:delay_exit=${Math.round(ms * 1000)}`
    const args = [
      '-f',
      '-qqq',
      '-o',
      '/dev/null',
      '-e',
      `trace=${CALLS}`,
      '-e',
      delay,
      ...pids.map((pid) => `-p${pid}`),
    ]
    // When this process is killed, strace is told to end, and lets go of the others.
    const tracer = spawn(...tethered('strace', args, 'SIGTERM'), { stdio: ['ignore', 'ignore', 'pipe'] })
    this.#tracer = tracer
    let words = ''
    tracer.stderr.setEncoding('utf8').on('data', (text: string) => (words = (words + text).slice(-2000)))
    await once(tracer, 'spawn')
    const deadline = performance.now() + ATTACH_WITHIN_MS
    while (!(await areTraced(pids))) {
      if (isGone(tracer)) throw new Error(`strace ended: ${words.trim()}`)
      if (performance.now() > deadline) throw new Error('strace has not attached in time')
      await sleep(10)
    }
  }

  async #detach(): Promise<void> {
    const tracer = this.#tracer
    this.#tracer = undefined
    if (tracer === undefined || isGone(tracer)) return
    const exited = once(tracer, 'exit')
    tracer.kill('SIGTERM')
    await exited
  }
}

function isGone(child: { readonly exitCode: number | null; readonly signalCode: string | null }): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

/** Every thread of every process that still runs has a tracer. */
async function areTraced(pids: readonly number[]): Promise<boolean> {
  const lists = await Promise.all(
    pids.map(async (pid) =>
      (await readdir(`/proc/${pid}/task`).catch(() => [])).map((id) => `/proc/${pid}/task/${id}`),
    ),
  )
  const texts = await Promise.all(lists.flat().map((task) => readFile(`${task}/status`, 'utf8').catch(() => '')))
  return texts.every((text) => !/^TracerPid:\t0$/m.test(text))
}
