// Medians over the runs, and how many times faster Posthouse is than each peer. Pure.

import { median, round } from '../statistics.ts'
import type { Lonely, Measured } from './measure.ts'

export interface Run extends Measured {
  readonly p50Ms: number
  readonly p99Ms: number
}

export interface Summary {
  /** By peer and load (`4096x20` = octets x sessions): the end-to-end rate of Posthouse over that of the peer. */
  readonly ratios: Readonly<Record<string, Readonly<Record<string, number>>>>
  readonly medians: Readonly<Record<string, Readonly<Record<string, LoadMedians>>>>
}

export interface LoadMedians {
  readonly messagesPerSecond: number
  readonly acceptedPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly cpuMicros: Readonly<Record<string, number>>
}

export const OURS = 'posthouse'

export function summarize(runs: readonly Run[]): Summary {
  const medians: Record<string, Record<string, LoadMedians>> = {}
  for (const [system, ofSystem] of grouped(runs, (run) => run.system)) {
    const loads: Record<string, LoadMedians> = (medians[system] = {})
    for (const [load, ofLoad] of grouped(ofSystem, loadName)) loads[load] = mediansOf(ofLoad)
  }
  const ratios: Record<string, Record<string, number>> = {}
  for (const [system, loads] of Object.entries(medians)) {
    if (system === OURS || medians[OURS] === undefined) continue
    const ofPeer: Record<string, number> = (ratios[system] = {})
    for (const [load, theirs] of Object.entries(loads)) {
      const ours = medians[OURS][load]
      if (ours !== undefined) ofPeer[load] = round(ours.messagesPerSecond / theirs.messagesPerSecond, 2)
    }
  }
  return { ratios, medians }
}

export function loadName(load: { readonly size: number; readonly sessions: number }): string {
  return `${load.size}x${load.sessions}`
}

function mediansOf(runs: readonly Run[]): LoadMedians {
  const of = (value: (run: Run) => number, digits: number) => round(median(runs.map(value)) ?? NaN, digits)
  const parts = [...new Set(runs.flatMap((run) => Object.keys(run.cpuMicros)))]
  return {
    messagesPerSecond: of((run) => run.messagesPerSecond, 1),
    acceptedPerSecond: of((run) => run.acceptedPerSecond, 1),
    p50Ms: of((run) => run.p50Ms, 2),
    p99Ms: of((run) => run.p99Ms, 2),
    cpuMicros: Object.fromEntries(parts.map((part) => [part, of((run) => run.cpuMicros[part] ?? 0, 0)])),
  }
}

function grouped<T>(all: readonly T[], key: (one: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const one of all) {
    const name = key(one)
    const group = groups.get(name)
    if (group === undefined) groups.set(name, [one])
    else group.push(one)
  }
  return groups
}

/** One line for a person. */
export function lineOf(run: Run): string {
  const cpu = Object.entries(run.cpuMicros).map(([part, micros]) => `${part} ${micros}`)
  return (
    `${run.system.padEnd(10)} ${loadName(run).padEnd(10)} ${String(Math.round(run.messagesPerSecond)).padStart(5)}/s end to end, ` +
    `${String(Math.round(run.acceptedPerSecond)).padStart(5)}/s accepted, 250 after ${run.p50Ms} / ${run.p99Ms} ms, ` +
    `CPU us: ${cpu.join(', ')}`
  )
}

export function table(summary: Summary, lonely: Readonly<Record<string, Lonely>>): string {
  const lines: string[] = []
  for (const [system, loads] of Object.entries(summary.medians)) {
    for (const [load, medians] of Object.entries(loads)) {
      const ratio = summary.ratios[system]?.[load]
      const times = ratio === undefined ? '' : `  (posthouse: ${ratio} x)`
      lines.push(`${system.padEnd(10)} ${load.padEnd(10)} ${Math.round(medians.messagesPerSecond)} messages/s${times}`)
    }
  }
  for (const [system, { acceptedMs, deliveredMs }] of Object.entries(lonely)) {
    lines.push(`${system.padEnd(10)} lonely     accepted after ${acceptedMs} ms, delivered after ${deliveredMs} ms`)
  }
  return lines.join('\n')
}
