// `loadtest remote-control …`: steers a remote load that runs beside it (in the same pod: `kubectl exec POD -- …`) and prints what
// it answers. Exit status of verdict: 0 sound, 1 faulty, 2 undecided; of all: 3 when there is no answer, or an error.

import { request } from 'node:http'
import { Arguments, helpText, UsageError, type Options } from '../command-line.ts'
import type { Judgement } from '../ledger.ts'
import type { Verdict } from './verdict.ts'

export const options: Options = {
  host: { value: 'HOST', help: 'where the load runs (127.0.0.1)' },
  port: { value: 'N', help: 'its --control-port (8080)' },
  queued: { value: 'N', help: 'verdict: so many recipients are known to be in the queue still (0)' },
  help: { value: '', help: 'this' },
}

const USAGE = [
  'node loadtest/main.ts remote-control COMMAND [OPTION]…',
  '',
  '  status           how things stand, with the phase that is on',
  '  phase NAME       begins a phase; the summary of the one that ends. Asked twice, the same summary again',
  '  rate N           messages per second from now on; 0 pauses',
  '  stop [SECONDS]   ends sending; what is under way has so long to end (60)',
  '  drain SECONDS    stops, and waits until everything accepted has arrived, so long at most',
  '  verdict          the ledger and all phases; exit status 0 sound, 1 faulty, 2 undecided',
].join('\n')

const NO_ANSWER = 3
const STATUS: Record<Judgement, number> = { sound: 0, faulty: 1, undecided: 2 }

interface Question {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly body?: Readonly<Record<string, unknown>>
}

export async function remoteControl(args: readonly string[], signal: AbortSignal): Promise<number> {
  const given = new Arguments(args, options)
  if (given.flag('help')) {
    console.log(helpText(USAGE, options))
    return 0
  }
  const port = given.number('port', 8080, 1, 65_535)
  const queued = given.number('queued', 0, 0, 1e12)
  given.check()
  const question = questionOf(given.positionals, queued)
  let answer: Answer
  try {
    answer = await ask(given.text('host') ?? '127.0.0.1', port, question, signal)
  } catch (error) {
    process.stderr.write(`remote-control: no answer: ${(error as Error).message}\n`)
    return NO_ANSWER
  }
  process.stdout.write(answer.text)
  if (answer.status !== 200) return NO_ANSWER
  return question.path.startsWith('/verdict') ? STATUS[(JSON.parse(answer.text) as Verdict).judgement] : 0
}

function questionOf([command, operand, ...others]: readonly string[], queued: number): Question {
  const wanted = (what: string) => {
    if (operand === undefined || others.length > 0) throw new UsageError(`remote-control ${command}: ${what} is wanted`)
    return operand
  }
  const number = (what: string) => {
    const value = Number(wanted(what))
    if (!Number.isFinite(value) || value < 0)
      throw new UsageError(`remote-control ${command} ${operand}: ${what} is wanted`)
    return value
  }
  if ((command === 'status' || command === 'verdict') && operand !== undefined) {
    throw new UsageError(`remote-control ${command} takes nothing more`)
  }
  switch (command) {
    case 'status':
      return { method: 'GET', path: '/status' }
    case 'verdict':
      return { method: 'GET', path: `/verdict?queued=${queued}` }
    case 'phase':
      return { method: 'POST', path: '/phase', body: { name: wanted('one name') } }
    case 'rate':
      return { method: 'POST', path: '/rate', body: { messagesPerSecond: number('a number of messages per second') } }
    case 'stop':
      return { method: 'POST', path: '/stop', body: operand === undefined ? {} : { seconds: number('seconds') } }
    case 'drain':
      return { method: 'POST', path: '/drain', body: { seconds: number('a number of seconds') } }
    default:
      throw new UsageError(`remote-control: one of status, phase, rate, stop, drain, verdict is wanted`)
  }
}

interface Answer {
  readonly status: number
  readonly text: string
}

/** However long it takes: a drain may take an hour. */
function ask(host: string, port: number, { method, path, body }: Question, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' }
    const asked = request({ host, port, method, path, headers, signal }, (response) => {
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('error', reject)
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(parts).toString() }))
    })
    asked.on('error', reject)
    asked.end(body === undefined ? undefined : JSON.stringify(body))
  })
}
