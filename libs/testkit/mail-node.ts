/** A node of a service as a process of its own, with every line that it logs; for tests that need the whole of it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { stringify } from 'yaml'
import { freePorts } from './free-port.ts'

export interface MailNode extends AsyncDisposable {
  /** All that it wrote to standard error and standard output. */
  readonly lines: readonly string[]
  /** Lines with this message. */
  logged(message: string): Record<string, unknown>[]
  /** Asks it to end; the exit status, null if it was killed. */
  stop(): Promise<number | null>
}

export interface MailNodeOptions {
  /** Its main.ts. */
  readonly main: string
  /** Where its settings go. */
  readonly folder: string
  readonly name: string
  /** Beside name, hostname and http.port. */
  readonly settings: Readonly<Record<string, unknown>>
  readonly environment?: Readonly<Record<string, string>>
}

/** Resolves when it says that it is ready; rejects with what it wrote when it ends before. */
export async function startMailNode({ main, folder, name, settings, environment }: MailNodeOptions): Promise<MailNode> {
  const [port] = await freePorts(1)
  const config = join(folder, `${name}.yaml`)
  writeFileSync(config, stringify({ name, hostname: `${name}.example`, http: { port }, ...settings }))
  const child = spawn(process.execPath, [main, '--config', config], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const closed = once(child, 'close') as Promise<[number | null]>
  const lines: string[] = []
  const ready = new Promise<void>((resolve) => {
    for (const stream of [child.stdout, child.stderr])
      createInterface(stream).on('line', (line) => {
        lines.push(line)
        if (line.includes('"msg":"ready"')) resolve()
      })
  })
  const ended = closed.then(() => {
    throw new Error(`${name} ended:\n${lines.join('\n')}`)
  })
  ended.catch(() => {})
  await Promise.race([ready, ended])
  const stop = async (): Promise<number | null> => {
    child.kill('SIGTERM')
    const [status] = await closed
    return status
  }
  return {
    lines,
    logged: (message) =>
      lines
        .filter((line) => line.startsWith('{') && line.includes(`"msg":${JSON.stringify(message)}`))
        .map((line) => JSON.parse(line) as Record<string, unknown>),
    stop,
    async [Symbol.asyncDispose]() {
      await stop()
    },
  }
}
