// The metrics that every process has, beside those of Node (process_*, nodejs_*) and the tables of the services.
import { defineMetrics } from './table.ts'

/**
 * Series of one process at most, those of Node included, whatever the number of destinations, users and partitions: what
 * Prometheus has to keep for each node. Tests hold a busy process with 100 000 destinations against it.
 */
export const MOST_SERIES = 1000
/** And so many for each partition of the queue: those of the figures that one admin node exports. */
export const MOST_SERIES_OF_A_PARTITION = 28

/** Of these, what Node's own metrics are allowed: there are some 70, and more for each kind of handle and collection. */
export const NODE_SERIES = 200

export const commonMetrics = defineMetrics({
  buildInfo: {
    kind: 'gauge',
    name: 'posthouse_build_info',
    help: 'Always 1; the labels say which version runs. Act when versions stay mixed after an upgrade.',
    labels: { service: 'fixed', version: 'fixed', node: 'fixed' },
  },
  ready: {
    kind: 'gauge',
    name: 'posthouse_ready',
    help: '1 while the process is ready for work, as on /readyz, else 0. Act when it stays 0: /readyz says why.',
  },
  logSuppressed: {
    kind: 'counter',
    name: 'posthouse_log_suppressed_total',
    help: 'Log lines left out: too many alike at once, or nobody reads the log fast enough. Act when it grows: somebody attacks, or a fault repeats itself.',
  },
})
