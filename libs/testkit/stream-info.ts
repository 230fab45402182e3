/** What a stream holds, asked until somebody answers: a leader that steps down answers nobody, and leaders move just after a start. */
import type { JetStreamManager, StreamInfo } from '@nats-io/jetstream'
import { errors } from 'nats'

export async function streamInfoOf(
  manager: JetStreamManager,
  stream: string,
  filter?: { subjects_filter: string },
): Promise<StreamInfo> {
  for (;;) {
    try {
      return await manager.streams.info(stream, filter)
    } catch (error) {
      if (!(error instanceof errors.TimeoutError)) throw error
    }
  }
}
