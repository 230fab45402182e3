// `npm run -s loadtest -- --messages 3000 --fault kill-nats --json`: one load against a cluster of its own. Exit status 1 when
// anything is lost, unexpected or altered, 2 when that could not be decided.

import { join, resolve } from 'node:path'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { Arguments, helpText, type Options } from '../command-line.ts'
import { FAULTS } from '../fault.ts'
import { judge, type Judgement } from '../ledger.ts'
import { table } from '../report.ts'
import { runLoad, type LoadOptions } from '../run.ts'

/** With a fault the load goes on for at least this long, so that what the fault does falls into it. */
const FAULTY_RUN_SECONDS = 12

export const options: Options = {
  messages: { value: 'N', help: 'messages to send (3000)' },
  fault: { value: FAULTS.join('|'), help: 'what is killed when half of them are answered (none)' },
  sessions: { value: 'N', help: 'SMTP sessions at once (20)' },
  size: { value: 'N', help: 'octets of each message (a mix of 1 KiB to 1 MiB, mostly small)' },
  recipients: { value: 'N', help: 'recipients of each message (1)' },
  rate: {
    value: 'N',
    help: `messages/s at most, 0 = no limit (0; with a fault so many that it takes ${FAULTY_RUN_SECONDS} s)`,
  },
  seed: { value: 'N', help: 'repeats a run: the same messages, the same victim (drawn)' },
  role: { value: 'relay|submission|submissions', help: 'listener to send to (relay)' },
  'one-shot': { value: '', help: 'a connection for every message' },
  'retry-unknown': {
    value: '',
    help: 'send again what may have been accepted, like a real client: duplicates may be ours then',
  },
  nodes: { value: 'N', help: 'size of the cluster, as npm start takes it (3)' },
  'refuse-every': { value: 'N', help: 'every Nth message goes to recipients that the sink refuses, and bounces' },
  'tempfail-every': { value: 'N', help: 'the sink answers every Nth final dot with 451' },
  'drop-every': { value: 'N', help: 'the sink drops the connection at every Nth final dot' },
  'drain-seconds': { value: 'N', help: 'how long to wait for what was accepted (180)' },
  data: { value: 'DIR', help: 'folder of the cluster, which then stays, with its logs (a temporary one)' },
  json: { value: '', help: 'the last line is one JSON object' },
  help: { value: '', help: 'this' },
}

const STATUS: Record<Judgement, number> = { sound: 0, faulty: 1, undecided: 2 }

export async function load(args: readonly string[], signal: AbortSignal): Promise<number> {
  const given = new Arguments(args, options)
  if (given.flag('help')) {
    console.log(helpText('npm run -s loadtest -- [OPTION]…', options))
    return 0
  }
  await using folder = await temporaryFolder('loadtest')
  const asked = read(given, resolve(given.text('data') ?? join(folder.path, 'cluster')), signal)
  given.check()
  const result = await runLoad(asked)
  const sent = result.accepted + result.refused + result.unknown
  console.log(given.flag('json') ? JSON.stringify(result) : table(result))
  if (sent === 0 || result.unsent === asked.messages) return 2
  return STATUS[judge(result)]
}

function read(given: Arguments, dataDir: string, signal: AbortSignal): LoadOptions {
  const messages = given.number('messages', 3000, 1, 100_000_000)
  const fault = given.word('fault', FAULTS, 'none')
  return {
    messages,
    fault,
    sessions: given.number('sessions', 20, 1, 10_000),
    size: given.number('size', null, 400, 64 * 1024 * 1024),
    recipients: given.number('recipients', 1, 1, 1000),
    seed: given.number('seed', Math.floor(Math.random() * 2 ** 32), 0, 2 ** 32 - 1),
    rate: given.number('rate', fault === 'none' ? 0 : Math.ceil(messages / FAULTY_RUN_SECONDS), 0, 1_000_000),
    role: given.word('role', ['relay', 'submission', 'submissions'], 'relay'),
    connections: given.flag('one-shot') ? 'one-shot' : 'kept',
    retryUnknown: given.flag('retry-unknown'),
    nodes: given.number('nodes', null, 1, 9),
    drainMs: given.number('drain-seconds', 180, 1, 100_000) * 1000,
    dataDir,
    sink: {
      tempfailEvery: given.number('tempfail-every', 0, 0, 1_000_000),
      dropEvery: given.number('drop-every', 0, 0, 1_000_000),
    },
    refuseEvery: given.number('refuse-every', 0, 0, 1_000_000),
    signal,
    progress: (line) => process.stderr.write(`loadtest: ${line}\n`),
  }
}
