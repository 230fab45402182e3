// The services of deploy/compose.yaml as processes of this machine: their commands, environment and files, with the names and
// ports of containers replaced by ports of loopback and mounted paths by what is mounted there. What a service is not given,
// or is not in a network with, cannot be replaced, and is an error.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startChild, type Child } from '@posthouse/testkit/child-process'
import { freePorts } from '@posthouse/testkit/free-port'
import { parse, stringify } from 'yaml'
import { readCompose, type ComposeFile, type Service } from './compose-file.ts'

const ROOT = join(import.meta.dirname, '../../..')
/** HAProxy's address towards the edges. */
export const BALANCER = '127.0.0.9'
/** Where a container keeps what outlives it. */
const DATA = '/var/lib/posthouse'
/** Ports that the services of the file listen on, by the beginning of their names. */
const LISTENS: Readonly<Record<string, readonly number[]>> = {
  edge: [8080, 2525, 2587, 2465],
  delivery: [8080],
  admin: [8080],
  nats: [4222, 6222, 8222],
  haproxy: [2525, 2587, 2465, 8404],
}

export interface Program {
  readonly command: string
  readonly args: readonly string[]
  readonly environment: Readonly<Record<string, string>>
}

export class Site {
  readonly folder: string
  readonly #compose: ComposeFile
  readonly #ports: ReadonlyMap<string, number>
  readonly #children = new Map<string, Child>()

  private constructor(folder: string, compose: ComposeFile, ports: ReadonlyMap<string, number>) {
    this.folder = folder
    this.#compose = compose
    this.#ports = ports
  }

  /** Files of its own go into `folder`; init.sh has been run beside the compose file. */
  static async create(composeFile: string, folder: string, hostname: string): Promise<Site> {
    const compose = readCompose(composeFile, { POSTHOUSE_HOSTNAME: hostname })
    const places = [...compose.services.keys()].flatMap((name) =>
      (LISTENS[name.replace(/-\d+$/, '')] ?? []).map((port) => `${name}:${port}`),
    )
    const free = await freePorts(places.length)
    return new Site(folder, compose, new Map(places.map((place, index) => [place, free[index] ?? 0])))
  }

  /** The port that stands for one of a container. */
  port(service: string, port: number): number {
    const found = this.#ports.get(`${service}:${port}`)
    if (found === undefined) throw new Error(`${service} listens on no port ${port}`)
    return found
  }

  log(name: string): string {
    return readFileSync(join(this.folder, `${name}.log`), 'utf8')
  }

  child(name: string): Child {
    const child = this.#children.get(name)
    if (child === undefined) throw new Error(`${name} was not started`)
    return child
  }

  async start(name: string, { command, args, environment }: Program): Promise<void> {
    const { PATH, HOME } = process.env
    const env = { PATH, HOME, ...environment }
    this.#children.set(name, await startChild(command, args, { output: join(this.folder, `${name}.log`), env }))
  }

  /** Waits until it is so; throws with the end of the log if the program ends before. */
  async until(name: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    while (!(await holds())) {
      if (!this.child(name).running) throw new Error(`${name} ended:\n${this.log(name).slice(-2000)}`)
      await sleep(50)
    }
  }

  /** Ends what was started last first, without waiting for an edge that takes its time. */
  async stop(): Promise<void> {
    for (const child of [...this.#children.values()].toReversed()) await child.stop(2000)
  }

  nats(name: string, binary: string): Program {
    const service = this.#service(name)
    const folder = this.#folderOf(name)
    mkdirSync(join(folder, 'data'))
    // What lies together in the container lies together here.
    for (const { source, target, kind } of service.mounts.filter((mount) => mount.kind !== 'volume')) {
      if (kind === 'bind' || !target.startsWith('/etc/nats/')) throw new Error(`${name}: ${target} is not expected`)
      let text = this.#withPorts(service, readFileSync(source, 'utf8'))
      if (basename(target) === 'nats.conf') {
        for (const port of LISTENS['nats'] ?? []) {
          text = replaced(text, `"0.0.0.0:${port}"`, `"127.0.0.1:${this.port(name, port)}"`)
        }
        text = replaced(text, '"/data"', JSON.stringify(join(folder, 'data')))
      }
      writeFileSync(join(folder, basename(target)), text, { mode: 0o600 })
    }
    const [, flag = '', file = ''] = service.command
    return { command: binary, args: [flag, join(folder, basename(file))], environment: service.environment }
  }

  haproxy(binary: string): Program {
    const service = this.#service('haproxy')
    const source = service.mounts.find(({ target }) => target === '/usr/local/etc/haproxy/haproxy.cfg')?.source ?? ''
    let text = readFileSync(source, 'utf8')
    for (const port of LISTENS['haproxy'] ?? []) {
      text = replaced(text, `bind :${port}\n`, `bind 127.0.0.1:${this.port('haproxy', port)}\n`)
    }
    text = text.replaceAll(
      /^( {2}server (edge-\d) edge-\d:)(\d+)( .*)$/gm,
      (line, _, edge: string, port, rest: string) => {
        if (!this.#compose.services.has(edge)) return line
        const checks = rest.replace(/check port (\d+)/, (__, http) => `check port ${this.port(edge, Number(http))}`)
        return `  server ${edge} 127.0.0.1:${this.port(edge, Number(port))}${checks}`
      },
    )
    text = replaced(text, '\ndefaults\n', `\ndefaults\n  source ${BALANCER}\n`)
    const file = join(this.#folderOf('haproxy'), 'haproxy.cfg')
    writeFileSync(file, text)
    return { command: binary, args: ['-W', '-db', '-f', file], environment: {} }
  }

  /** An edge, a delivery node or the command line, whose arguments are `args` where the file has none. */
  posthouse(name: string, ...args: string[]): Program {
    const service = this.#service(name)
    const folder = this.#folderOf(name)
    const files = new Map<string, string>()
    for (const mount of service.mounts) {
      if (mount.kind === 'volume') continue
      if (mount.kind !== 'config') files.set(mount.target, mount.source)
      else {
        const file = join(folder, basename(mount.target))
        files.set(mount.target, file)
      }
    }
    const inside = (text: string) => withMounts(service, this.#withPorts(service, text), files)
    for (const { source, target } of service.mounts.filter(({ kind }) => kind === 'config')) {
      const settings = parse(inside(readFileSync(source, 'utf8'))) as Settings
      if (settings.http !== undefined) settings.http = { host: '127.0.0.1', port: this.port(name, settings.http.port) }
      for (const listener of settings.listeners ?? []) {
        listener.host = '127.0.0.1'
        listener.port = this.port(name, listener.port)
        listener.proxyFrom = [BALANCER]
      }
      writeFileSync(files.get(target) ?? '', stringify(settings))
    }
    const words = [...((service.raw['entrypoint'] as string[] | undefined) ?? []), ...service.command].map(inside)
    const environment: Record<string, string> = Object.fromEntries(
      Object.entries(service.environment).map(([key, value]) => [key, inside(value)]),
    )
    // The folder of the settings' default is there for those who have a volume for it.
    if (service.mounts.some(({ kind, target, writable }) => kind === 'volume' && writable && target === DATA))
      environment['POSTHOUSE_DATA_FOLDER'] = join(folder, 'data')
    return { command: process.execPath, args: [join(ROOT, 'deploy/image/entry.ts'), ...words, ...args], environment }
  }

  #service(name: string): Service {
    const service = this.#compose.services.get(name)
    if (service === undefined) throw new Error(`there is no service ${name}`)
    return service
  }

  #folderOf(name: string): string {
    const folder = join(this.folder, name)
    mkdirSync(folder, { recursive: true })
    return folder
  }

  #withPorts(service: Service, text: string): string {
    return text.replaceAll(/\b((?:nats|edge|delivery|admin)-\d+|haproxy):(\d+)/g, (_, name: string, port: string) => {
      const shared = this.#service(name).networks.filter((network) => service.networks.includes(network))
      if (shared.length === 0) throw new Error(`${service.name} is in no network with ${name}`)
      return `127.0.0.1:${this.port(name, Number(port))}`
    })
  }
}

interface Settings {
  http?: { host: string; port: number }
  listeners?: { host: string; port: number; proxyFrom: string[] }[]
}

/** Every path that only the container has must lie in something that is mounted. */
function withMounts(service: Service, text: string, files: ReadonlyMap<string, string>): string {
  return text.replaceAll(/\/(?:run\/secrets|etc\/posthouse)\/[\w./-]+/g, (path) => {
    const target = [...files.keys()].find((one) => path === one || path.startsWith(`${one}/`))
    if (target === undefined) throw new Error(`${service.name} is not given ${path}`)
    return `${files.get(target) ?? ''}${path.slice(target.length)}`
  })
}

function replaced(text: string, what: string, by: string): string {
  if (text.split(what).length !== 2) throw new Error(`${what} is not there once`)
  return text.replace(what, () => by)
}
