// The load balancer of a room, a real HAProxy, and what is told to it while it runs: which edges there are.

import { writeFile } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { addressOf } from './addresses.ts'
import type { Place } from './ground.ts'
import { CHECKED, haproxyConfig, ROLES, SLOTS } from './haproxy-config.ts'
import { ownEnvironment } from './own-environment.ts'
import type { Program } from './program-node.ts'

/** In a folder that is the enclosure's own: the path of a socket must be short. */
const SOCKET = '/dev/shm/balancer.sock'

export class Balancer {
  readonly program: Program
  readonly #place: Place
  readonly #dir: string
  readonly #edges = new Set<string>()

  constructor(place: Place, dir: string) {
    this.#place = place
    this.#dir = dir
    this.program = {
      http: undefined,
      env: ownEnvironment(),
      command: async () => ['haproxy', '-db', '-f', await this.#writeConfig()],
      notReady: async () => {
        const answer = await this.#says(`show servers state ${CHECKED}`)
        if (answer === undefined) return 'it does not answer'
        return hasHealthyServer(answer) ? undefined : 'no edge is healthy'
      },
    }
  }

  /** From now on it gets connections, when it is healthy. */
  async include(edge: string): Promise<void> {
    this.#edges.add(edge)
    await this.#order(
      `enable health ${CHECKED}/${edge}`,
      ...ROLES.map((role) => `set server ${role}/${edge} state ready`),
    )
  }

  /** It gets no new connections, and keeps those it has until it ends them itself. */
  async drain(edge: string): Promise<void> {
    await this.#order(
      `disable health ${CHECKED}/${edge}`,
      ...ROLES.map((role) => `set server ${role}/${edge} state drain`),
    )
  }

  async exclude(edge: string): Promise<void> {
    this.#edges.delete(edge)
    await this.#order(...ROLES.map((role) => `set server ${role}/${edge} state maint`))
  }

  async #order(...commands: string[]): Promise<void> {
    const complaint = (await this.#says(...commands))?.trim() ?? ''
    if (complaint !== '') throw new Error(`the load balancer says: ${complaint}`)
  }

  async #writeConfig(): Promise<string> {
    const slots = Array.from({ length: SLOTS }, (_, index) => {
      const name = `edge-${index + 1}`
      return { name, address: addressOf('edge', index + 1), enabled: this.#edges.has(name) }
    })
    const file = join(this.#dir, 'balancer.cfg')
    await writeFile(file, haproxyConfig({ host: this.#place.address, socket: SOCKET, slots }))
    return file
  }

  /** Its answer; undefined when it is down or stopped: a later start knows what it missed. */
  async #says(...commands: string[]): Promise<string | undefined> {
    const connection = createConnection(SOCKET)
    try {
      connection.setTimeout(1000, () => connection.destroy(new Error('no answer')))
      connection.end(`${commands.join(';')}\n`)
      return await text(connection)
    } catch {
      return undefined
    }
  }
}

/** Answers look like "# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state …", a line for each server. */
function hasHealthyServer(answer: string): boolean {
  const [RUNNING, ENABLED] = ['2', '0']
  return answer.split('\n').some((line) => {
    const [, , , , , state, byAdmin] = line.split(' ')
    return state === RUNNING && byAdmin === ENABLED
  })
}
