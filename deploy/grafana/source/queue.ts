// What waits in the queue, since when and for whom; and the admin nodes, which say so and keep the events.
import { eventsAndWebhooks } from './events.ts'
import { bars, graph, line, notZero, row, stat, states, type Dashboard } from './panel.ts'
import { processes } from './processes.ts'

/** One figure of each partition, whichever admin node exports it at the time. */
const byPartition = (figure: string) => `max by (namespace, partition) (posthouse_queue_${figure})`
const PARTITION = 'partition {{partition}} {{namespace}}'
/** The queue is one for all destinations of a name, whatever is chosen. */
const byDestination = (figure: string) => `max by (destination) (posthouse_queue_destination_${figure})`

export const queue: Dashboard = {
  file: 'queue',
  title: 'Queue and destinations',
  description:
    'What waits, since when and for whom. The figures of the queue are those of the whole cluster: only the namespace narrows them. Below them the admin nodes, which say them and keep the events.',
  rows: [
    row(
      'The queue',
      line(
        4,
        stat({
          title: 'Ready now',
          description:
            'Recipients that wait for their first attempt, or are in it. Act when it grows for minutes: delivery is slower than acceptance; add delivery nodes or connections.',
          unit: 'none',
          queries: { ready: `sum(${byPartition('ready_recipients')})` },
        }),
        stat({
          title: 'In flight now',
          description:
            'Recipients that are being tried. Act on 0 while ready ones wait: look at the dashboard of delivery.',
          unit: 'none',
          queries: { 'in flight': `sum(${byPartition('in_flight_recipients')})` },
        }),
        stat({
          title: 'Later now',
          description:
            'Recipients that were deferred, parked or held. Act when it grows for an hour: the destinations below say whose they are.',
          unit: 'none',
          queries: { later: `sum(${byPartition('later_recipients')})` },
        }),
        stat({
          title: 'Oldest now',
          description:
            'Age of the oldest message that is still open, since its acceptance. Act when it is above what users bear and ready is not 0; one that was deferred may be as old as the setting lifetime.',
          unit: 's',
          queries: { oldest: `max(${byPartition('oldest_age_seconds')}) or 0 * max(${byPartition('owned')})` },
          warn: 4 * 3600,
          act: 24 * 3600,
        }),
        stat({
          title: 'Without owner',
          description:
            'Partitions that no delivery node owns. Act when it stays for 30 s: their mail is not delivered; look at the delivery nodes.',
          unit: 'none',
          queries: { partitions: `sum(1 - ${byPartition('owned')})` },
          act: 1,
        }),
        stat({
          title: 'Age of these figures',
          description:
            'How long ago the owner of a partition said its figures, at worst. Act when it is above 15 s: the owner is dead or cut off.',
          unit: 's',
          queries: { oldest: `max(${byPartition('words_age_seconds')})` },
          act: 15,
        }),
      ),
      line(
        8,
        graph({
          title: 'Recipients in the queue',
          description:
            'Ready: waiting for the first attempt, or in it. In flight: in an attempt. Later: deferred, parked or held. Act when ready grows for minutes: delivery is slower than acceptance; when later grows for an hour: a destination does not take its mail.',
          unit: 'none',
          queries: {
            ready: `sum(${byPartition('ready_recipients')})`,
            'in flight': `sum(${byPartition('in_flight_recipients')})`,
            later: `sum(${byPartition('later_recipients')})`,
          },
        }),
        graph({
          title: 'Oldest by partition',
          description:
            'Age since its acceptance of the oldest message that is still open, by partition; no line when nothing is. Act when one partition stands out and some of it is ready: its owner does not get on.',
          unit: 's',
          queries: { [PARTITION]: byPartition('oldest_age_seconds') },
          warn: 4 * 3600,
          act: 24 * 3600,
        }),
        graph({
          title: 'Bytes by partition',
          description:
            'Bytes of the batches that have something open. Act when it grows for an hour: the dashboard of NATS shows the room that is left.',
          unit: 'bytes',
          queries: { [PARTITION]: byPartition('bytes') },
          stacked: true,
          more: 'nats',
        }),
      ),
    ),
    row(
      'Partitions',
      line(
        8,
        states({
          title: 'Owned',
          description:
            'Whether a delivery node owns the partition and says so. Act on red for more than 30 s: its mail is not delivered.',
          unit: 'none',
          queries: { [PARTITION]: byPartition('owned') },
          words: ['without owner', 'owned'],
        }),
        graph({
          title: 'Ready by partition',
          description:
            'Act when one partition grows alone: its owner does not get on, or holds much for a slow destination.',
          unit: 'none',
          queries: { [PARTITION]: byPartition('ready_recipients') },
        }),
        graph({
          title: 'Later by partition',
          description:
            'Recipients deferred, parked or held. Act when one partition grows alone: its owner writes none out.',
          unit: 'none',
          queries: { [PARTITION]: byPartition('later_recipients') },
        }),
      ),
    ),
    row(
      'Destinations',
      line(
        8,
        bars({
          title: 'Most recipients that wait',
          description:
            'Deferred, parked and held recipients of the destinations that have most of them. Act when one stands out: try it with `posthouse probe`, look at its replies with `posthouse trace`.',
          unit: 'none',
          queries: { '{{destination}}': byDestination('later_recipients') },
        }),
        bars({
          title: 'Oldest of those destinations',
          description:
            'Age of the oldest waiting message of the same destinations. Act when one is above an hour and many wait for it: the senders get a report at the setting lifetime.',
          unit: 's',
          queries: { '{{destination}}': byDestination('oldest_age_seconds') },
          warn: 3600,
          act: 24 * 3600,
        }),
        graph({
          title: 'Waiting over time',
          description:
            'Deferred, parked and held recipients of the destinations that have most of them. Act when one grows for an hour.',
          unit: 'none',
          queries: { '{{destination}}': byDestination('later_recipients') },
        }),
      ),
      line(
        8,
        graph({
          title: 'Connections by destination',
          description:
            'Connections open or being opened, for the destinations with most of them; none when nothing is sent. Act when one holds most of limits.connections: lower limits.connectionsPerDestination.',
          unit: 'none',
          queries: {
            '{{destination}}': notZero(
              'sum by (destination) (posthouse_delivery_destination_connections)',
              'destination',
            ),
          },
        }),
        graph({
          title: 'Ready by destination',
          description:
            'Transactions that wait in memory for a connection, for the destinations with most of them; none when none waits. Act when one stays: the site is slow or limits us.',
          unit: 'none',
          queries: {
            '{{destination}}': notZero('sum by (destination) (posthouse_delivery_destination_ready)', 'destination'),
          },
        }),
      ),
    ),
    eventsAndWebhooks,
    processes('admin'),
  ],
}
