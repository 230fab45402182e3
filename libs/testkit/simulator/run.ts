/**
 * `npm run -s simulate -- --seeds 1000000 --from 1 [--rule NAME=off] [--print SEED]`: simulates the queue's protocol, and
 * tells the story of the first seed that breaks a promise. Exit status 1 if one did.
 */
import { parseArgs } from 'node:util'
import { simulateMany } from './many-seeds.ts'
import { simulate, SIMULATION_RULES, type SimulationRules } from './simulation.ts'

const USAGE = `usage: npm run -s simulate -- [--seeds N] [--from N] [--rule NAME=off]... [--print SEED]
  rules: ${Object.keys(SIMULATION_RULES).join(', ')}`
const PROGRESS_EVERY_MS = 5_000
const TOLD_SEEDS = 10

function fail(text: string): never {
  process.stderr.write(`${text}\n${USAGE}\n`)
  process.exit(2)
}

function wholeNumber(text: string, option: string): number {
  const number = Number(text)
  if (!Number.isSafeInteger(number) || number < 0) fail(`--${option} needs a whole number, not ${text}`)
  return number
}

function rulesOf(given: readonly string[]): Partial<SimulationRules> {
  const rules: Record<string, boolean> = {}
  for (const rule of given) {
    const [name = '', value] = rule.split('=')
    if (!(name in SIMULATION_RULES) || (value !== 'off' && value !== 'on'))
      fail(`--rule ${rule}: no such rule, or not NAME=off`)
    rules[name] = value === 'on'
  }
  return rules
}

function options() {
  try {
    const { values } = parseArgs({
      options: {
        seeds: { type: 'string', default: '20000' },
        from: { type: 'string', default: '1' },
        rule: { type: 'string', multiple: true, default: [] },
        print: { type: 'string' },
      },
    })
    return values
  } catch (error) {
    return fail((error as Error).message)
  }
}

const { seeds, from, rule, print } = options()
const rules = rulesOf(rule)

if (print === undefined) await many()
else tell(wholeNumber(print, 'print'))

function tell(seed: number): void {
  const { story, broken } = simulate(seed, rules, true)
  process.stdout.write(`${story.join('\n')}\n`)
  if (broken !== undefined) process.exitCode = 1
}

async function many(): Promise<void> {
  const begun = performance.now()
  let told = begun
  const total = wholeNumber(seeds, 'seeds')
  const sum = await simulateMany({
    from: wholeNumber(from, 'from'),
    seeds: total,
    rules,
    onProgress: ({ seeds: done, broken }) => {
      const now = performance.now()
      if (now - told < PROGRESS_EVERY_MS) return
      told = now
      process.stderr.write(`${done} of ${total} seeds, ${broken.length} broken\n`)
    },
  })
  const seconds = (performance.now() - begun) / 1000
  process.stdout.write(
    `${sum.seeds} seeds in ${seconds.toFixed(1)} s: ${sum.broken.length} broken; ${sum.recipients} recipients, ` +
      `${sum.duplicates} delivered twice, ${sum.counted} possible duplicates counted, ${sum.events} events, ` +
      `${Math.round(sum.virtualMs / 3_600_000)} hours of virtual time\n`,
  )
  const first = sum.broken[0]
  if (first === undefined) return
  process.exitCode = 1
  for (const { seed, text } of sum.broken.slice(0, TOLD_SEEDS)) process.stdout.write(`seed ${seed}: ${text}\n`)
  process.stdout.write(`\nThe story of seed ${first.seed}:\n`)
  tell(first.seed)
}
