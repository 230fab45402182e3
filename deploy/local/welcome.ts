// What `npm start` tells a person once the cluster is ready: where everything listens, lines to paste, what to break.

import { relative } from 'node:path'
import type { ClusterFacts } from './cluster-file.ts'

export function welcome(facts: ClusterFacts, dir: string, smarthost: string | undefined, restart: boolean): string {
  const port = Object.fromEntries(facts.smtp.map(({ role, host, port: number }) => [role, `${host}:${number}`]))
  const { user, password, pids } = facts
  const folder = relative(process.cwd(), dir) || '.'
  const kill = (name: string, effect: string) =>
    pids[name] === undefined ? [] : [`  kill -9 ${String(pids[name]).padEnd(8)} # ${name}: ${effect}`]
  const clustered = pids['nats-2'] !== undefined
  const mail = '--from alice@example.com --to bob@example.net'
  const curlMail = '--mail-from alice@example.com --mail-rcpt bob@example.net -T -'
  const message = "printf 'From: alice@example.com\\r\\nSubject: Hello\\r\\n\\r\\nHello from curl.\\r\\n'"
  return [
    '',
    `Posthouse is ready. Queue, settings and logs are in ${folder}`,
    '',
    `  submission   ${port['submission']}   STARTTLS, then log-in`,
    `  submissions  ${port['submissions']}   TLS, then log-in`,
    `  relay        ${port['relay']}   no log-in, from 127.0.0.1 only`,
    `  log-in       ${user} / ${password}   (sends as anybody at posthouse.example, example.com, .net, .org)`,
    facts.mailbox === null
      ? `  smarthost    ${smarthost} gets all mail`
      : `  mailbox      ${facts.mailbox}/   shows what arrives`,
    ...Object.entries(facts.metrics).map(([name, url]) => `  ${name.padEnd(12)} ${url}`),
    '',
    'Send mail:',
    `  swaks --server ${port['submission']} --tls --auth PLAIN --auth-user ${user} --auth-password ${password} ${mail}`,
    `  swaks --server ${port['relay']} ${mail}`,
    `  ${message} | curl -sSk --ssl-reqd --user ${user}:${password} ${curlMail} smtp://${port['submission']}`,
    `  ${message} | curl -sS ${curlMail} smtp://${port['relay']}`,
    '',
    'Look at the queue:',
    `  npm run -s posthouse -- queue count --config ${folder}/queue.yaml`,
    '',
    restart
      ? 'Break it; what is killed starts again after 2 s:'
      : 'Break it; what is killed stays dead (--no-restart):',
    ...kill('edge-1', clustered ? 'the other edge goes on taking mail' : 'no mail is taken until it is back'),
    ...kill('delivery-1', clustered ? 'the other delivery takes its mail over' : 'mail waits until it is back'),
    ...kill('admin-1', 'mail goes on; no figures of the queue and no events until it is back'),
    ...kill('nats-1', clustered ? 'two of three servers go on' : 'mail is refused for now until it is back'),
    '',
    'Ctrl-C stops everything; a later npm start goes on with the same queue.',
    '',
  ].join('\n')
}
