// The local mailbox: takes all mail that the deliveries of a local cluster send, and shows it. For one's own machine only.
// Usage: node deploy/local/mailbox/main.ts --dir DIR --smtp PORT --web PORT [--host ADDRESS] [--keep N]

import { parseArgs } from 'node:util'
import { MessageStore } from './message-store.ts'
import { startSmtpSink } from './smtp-sink.ts'
import { startWeb } from './web.ts'

const { values } = parseArgs({
  options: {
    dir: { type: 'string' },
    smtp: { type: 'string', default: '0' },
    web: { type: 'string', default: '0' },
    host: { type: 'string', default: '127.0.0.1' },
    keep: { type: 'string', default: '1000' },
  },
})
if (values.dir === undefined) {
  console.error('mailbox: --dir says where the messages are kept')
  process.exit(64)
}
const store = await MessageStore.open(values.dir, Number(values.keep))
const sink = await startSmtpSink(store, values.host, Number(values.smtp))
const web = await startWeb(store, values.host, Number(values.web))
console.log(`mailbox: smtp://${values.host}:${sink.port} and http://${values.host}:${web.port}/`)

process.once('SIGTERM', () => {
  void Promise.all([sink.close(), web.close()]).then(() => process.exit(0))
})
