// A Prometheus of a test's own, from Debian's package, on a free port of loopback; it ends with its parent and by its process id.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { stringify } from 'yaml'
import { startChild, type Child } from '@posthouse/testkit/child-process'
import { freePort } from '@posthouse/testkit/free-port'

export interface Sample {
  readonly metric: Readonly<Record<string, string>>
  /** Time, and the number as Prometheus writes it. */
  readonly value: readonly [number, string]
}

export interface ExemplarSeries {
  readonly seriesLabels: Readonly<Record<string, string>>
  readonly exemplars: readonly { readonly labels: Readonly<Record<string, string>>; readonly value: string }[]
}

export interface FiringAlert {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

export interface Options {
  /** The program: see libs/testkit/debian-program.ts. */
  readonly program: string
  /** An empty folder for its settings and its data. */
  readonly folder: string
  readonly scrapeConfigs: readonly object[]
  readonly ruleFiles: readonly string[]
  /** Of its command line, beside those that it needs. */
  readonly arguments?: readonly string[]
}

const HOST = '127.0.0.1'
const LOOK_EVERY_MS = 200

export class PrometheusServer {
  readonly #url: string
  readonly #child: Child

  private constructor(url: string, child: Child) {
    this.#url = url
    this.#child = child
  }

  /** Resolves when it answers. Scrapes and evaluates every second. Throws when it ends before. */
  static async start(options: Options): Promise<PrometheusServer> {
    const { program, folder, scrapeConfigs, ruleFiles } = options
    const config = join(folder, 'prometheus.yml')
    const every = { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' }
    const settings = { global: every, scrape_configs: scrapeConfigs, rule_files: ruleFiles }
    await writeFile(config, stringify(settings, { aliasDuplicateObjects: false }))
    const port = await freePort(HOST)
    const child = await startChild(
      program,
      [
        `--config.file=${config}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=${HOST}:${port}`,
        '--log.level=warn',
        ...(options.arguments ?? []),
      ],
      { output: join(folder, 'prometheus.log'), cwd: folder },
    )
    const server = new PrometheusServer(`http://${HOST}:${port}`, child)
    const isReady = () =>
      fetch(`${server.#url}/-/ready`).then(
        (answer) => answer.ok,
        () => false,
      )
    while (!(await isReady())) {
      if (!child.running) throw new Error(`Prometheus has ended: ${join(folder, 'prometheus.log')}`)
      await sleep(LOOK_EVERY_MS)
    }
    return server
  }

  /** What an expression yields now. Throws when Prometheus does not take it. */
  async query(expression: string): Promise<Sample[]> {
    const answer = await this.#get<{ result: Sample[] | [number, string]; resultType: string }>('query', {
      query: expression,
    })
    return answer.resultType === 'scalar'
      ? [{ metric: {}, value: answer.result as [number, string] }]
      : (answer.result as Sample[])
  }

  labelValues(label: string, selector: string): Promise<string[]> {
    return this.#get(`label/${label}/values`, { 'match[]': selector })
  }

  /** What it keeps of the last hour. */
  exemplars(selector: string): Promise<ExemplarSeries[]> {
    const now = Date.now() / 1000
    return this.#get('query_exemplars', { query: selector, start: String(now - 3600), end: String(now + 60) })
  }

  async rules(): Promise<{ name: string; health: string; lastError?: string }[]> {
    const { groups } = await this.#get<{ groups: { rules: { name: string; health: string }[] }[] }>('rules', {})
    return groups.flatMap(({ rules }) => rules)
  }

  /** Those that fire, without those that only wait for their time. */
  async firing(): Promise<FiringAlert[]> {
    const { alerts } = await this.#get<{ alerts: (FiringAlert & { state: string })[] }>('alerts', {})
    return alerts.filter(({ state }) => state === 'firing')
  }

  async stop(): Promise<void> {
    await this.#child.stop()
  }

  async #get<T>(path: string, parameters: Readonly<Record<string, string>>): Promise<T> {
    const answer = await fetch(`${this.#url}/api/v1/${path}?${new URLSearchParams(parameters).toString()}`)
    const { status, data, error } = (await answer.json()) as { status: string; data: T; error?: string }
    if (status !== 'success') throw new Error(`${JSON.stringify(parameters)}: ${error ?? status}`)
    return data
  }
}

/** Looks until there is something. Throws with what was seen last when the signal comes, which is that of the test's own limit. */
export async function until<T>(
  signal: AbortSignal,
  look: (see: (seen: unknown) => void) => Promise<T | undefined>,
): Promise<T> {
  let last: unknown
  while (!signal.aborted) {
    const found = await look((seen) => (last = seen))
    if (found !== undefined) return found
    await sleep(LOOK_EVERY_MS)
  }
  throw new Error(`not there in time; seen last: ${JSON.stringify(last)}`)
}
