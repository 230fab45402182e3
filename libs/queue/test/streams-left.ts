/** What is left of mail in the streams of some partitions, by the word of their leaders: for the contract on real servers. */
import type { JetStreamManager } from '@nats-io/jetstream'
import { streamInfoOf } from '@posthouse/testkit/stream-info'

export async function leftInStreams(manager: JetStreamManager, partitions: number) {
  let mail = 0
  let later = 0
  let bodies = 0
  for (let partition = 0; partition < partitions; partition++) {
    mail += (await streamInfoOf(manager, `MAIL_${partition}`)).state.messages
    bodies += (await streamInfoOf(manager, `BODY_${partition}`)).state.messages
    const log = await streamInfoOf(manager, `LOG_${partition}`, { subjects_filter: `log.${partition}.later` })
    later += log.state.subjects?.[`log.${partition}.later`] ?? 0
  }
  return { mail, later, bodies }
}
