// `posthouse probe`: sends one message through the relay and waits until it comes out again at a listener of its own. It is an
// end-to-end check that asks nobody else: 0 means that exactly this message was accepted, and came out byte for byte.
import { randomBytes } from 'node:crypto'
import type { Command } from './command.ts'
import { makeProbe, type ProbeMessage } from './probe-message.ts'
import { probeOptions, probePlan, type ProbePlan } from './probe-options.ts'
import { handOver, type Handed } from './probe-sender.ts'
import { hostPort, ProbeSink } from './probe-sink.ts'
import { failed, isFailed, type Answer, type Failed } from './status.ts'
import type { World } from './world.ts'

export const probe: Command = {
  name: 'probe',
  summary: 'does a message come out of the relay as it went in?',
  operands: [],
  options: probeOptions,
  notes: [
    'The mail of --to must be routed to the listener: by its MX, by a smarthost of the delivery nodes, or because it is an',
    'address such as probe@[192.0.2.7]. The listener takes the message of the probe, drops those of earlier probes that were',
    'not waited for, and refuses all others. Probes that run at the same time need a --to of their own each.',
    '',
    'While there is time, an edge that is not there yet is tried again each second, and so is one that says 421, 451 or 454.',
    'A log-in needs TLS. Exit status: 0 it came out, byte for byte; 69 the edge does not answer, or refuses the log-in or',
    'the message; 1 it was accepted, and did not come out in time or not as it was, or the listener cannot be opened.',
  ],
  async run(given, world) {
    const plan = await probePlan(given)
    if (isFailed(plan)) return plan
    const message = makeProbe(plan.from, plan.to, randomBytes(16).toString('hex'), Date.now())
    const note = (line: string) => void world.errors.write(`posthouse: ${line}\n`)
    let sink: ProbeSink
    try {
      sink = await ProbeSink.open(plan.listen, message, note)
    } catch (error) {
      return failed('failed', `--listen: ${(error as Error).message}`)
    }
    try {
      return await send(plan, message, sink, note, stagesTo(world, given.has('json')))
    } finally {
      await sink.close()
    }
  },
}

/** Under --json the stages are in the one object of the answer. */
function stagesTo(world: World, json: boolean): (line: string) => void {
  return (line) => void (json || world.output.write(`${line}\n`))
}

type Accepted = Extract<Handed, { is: 'accepted' }>

async function send(
  plan: ProbePlan,
  message: ProbeMessage,
  sink: ProbeSink,
  note: (line: string) => void,
  stage: (line: string) => void,
): Promise<Answer | Failed> {
  const { edge, listen, timeout } = plan
  const listener = hostPort(listen.host ?? '*', listen.port)
  const deadline = AbortSignal.timeout(plan.timeoutMs)
  stage(`listening at ${listener} for mail to <${plan.to}>`)

  const handed = await handOver(edge, message, deadline, note)
  if (handed.is === 'unknown') {
    return ended('unavailable', { accepted: 'unknown' }, [
      `${handed.why}: it may be in the queue (posthouse queue list tells) and come out later`,
    ])
  }
  if (handed.is !== 'accepted') return ended('unavailable', {}, [handed.why])
  const secured = [handed.tls ?? 'without TLS', ...(edge.login === undefined ? [] : [`as ${edge.login.user}`])]
  stage(`accepted by ${handed.edge}: ${handed.reply} after ${Math.round(handed.ms)} ms (${secured.join(', ')})`)

  const arrival = await Promise.race([sink.arrival, passed(deadline)])
  if (arrival === undefined) {
    return ended('failed', { accepted: acceptance(handed) }, [
      `${idOf(handed.reply) ?? 'the message'} was accepted and did not come out at ${listener} within ${timeout}: ` +
        `it is still in the queue, unless another host took it; posthouse queue ${lookAt(handed.reply)} tells`,
      ...(sink.lastRefusal === undefined
        ? []
        : [`the listener, which takes nothing but mail to <${plan.to}>, refused ${sink.lastRefusal}`]),
    ])
  }
  const out = { at: arrival.at, from: arrival.from, ms: Math.round(arrival.time - handed.begun) }
  if (arrival.flaw !== undefined) {
    return ended('failed', { accepted: acceptance(handed), out: { ...out, flaw: arrival.flaw } }, [
      `it came out at ${out.at} after ${out.ms} ms, from ${out.from}, but not as it was sent: ${arrival.flaw}`,
    ])
  }
  stage(`came out at ${out.at} after ${out.ms} ms, from ${out.from}, byte for byte`)
  const bytes = message.content.length
  const { leftOvers } = sink
  return { is: 'answer', json: { ok: true, accepted: acceptance(handed), out: { ...out, bytes }, leftOvers }, text: '' }
}

function ended(status: 'failed' | 'unavailable', facts: object, lines: readonly string[]): Failed {
  return { ...failed(status, ...lines), json: { ok: false, ...facts, errors: lines } }
}

function acceptance({ edge, reply, tls, ms }: Accepted): object {
  return { edge, reply, id: idOf(reply), tls, ms: Math.round(ms) }
}

/** The queue id, where the relay tells it as edges do: what to look for, not what anything depends on. */
function idOf(reply: string): string | undefined {
  return /\bqueued as ([A-Za-z0-9]+)$/.exec(reply)?.[1]
}

function lookAt(reply: string): string {
  const id = idOf(reply)
  return id === undefined ? 'list' : `show ${id}`
}

function passed(deadline: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (deadline.aborted) return resolve(undefined)
    deadline.addEventListener('abort', () => resolve(undefined), { once: true })
  })
}
