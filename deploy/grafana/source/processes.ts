// The row at the end of a dashboard: the processes of one service.
import { NODE, graph, line, row, table, type Row } from './panel.ts'

export function processes(service: 'edge' | 'delivery' | 'admin'): Row {
  // What Prometheus, Grafana and others have of themselves is not of ours.
  const ours = (query: string) =>
    `${query} and on (namespace, job, instance) posthouse_build_info{service="${service}"}`
  return row(
    'Processes',
    line(
      7,
      graph({
        title: 'CPU',
        description: 'Of one core. Act when a process stays near 100 %: add replicas.',
        unit: 'percentunit',
        queries: { [NODE]: ours('rate(process_cpu_seconds_total[$__rate_interval])') },
        warn: 0.9,
      }),
      graph({
        title: 'Memory',
        description: 'Resident memory. Act when it nears the limit of the container, or never stops growing.',
        unit: 'bytes',
        queries: { [NODE]: ours('process_resident_memory_bytes') },
      }),
      graph({
        title: 'Event loop lag',
        description:
          'How late the process gets to its work, in one of 100 cases. Act when it passes 0.1 s: too little CPU, and leases may run out.',
        unit: 's',
        queries: { [NODE]: ours('nodejs_eventloop_lag_p99_seconds') },
        act: 0.1,
      }),
    ),
    line(
      7,
      graph({
        title: 'Running since',
        description: 'How long each process has run. Act when one begins anew over and over.',
        unit: 's',
        queries: { [NODE]: ours('(time() - process_start_time_seconds)') },
      }),
      graph({
        title: 'Log lines left out',
        description:
          'Lines that were too many alike at once, or that nobody read fast enough. Act when they go on: somebody attacks, or a fault repeats itself.',
        unit: '/s',
        queries: { [NODE]: ours('rate(posthouse_log_suppressed_total[$__rate_interval])') },
      }),
      table({
        title: 'Versions',
        description:
          'How many nodes run which version of Posthouse, on which Node. Act when versions stay mixed after an upgrade.',
        unit: 'none',
        queries: { nodes: `count by (namespace, version, node) (posthouse_build_info{service="${service}"})` },
        headings: { Value: 'nodes', node: 'Node' },
      }),
    ),
  )
}
