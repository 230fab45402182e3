// A pod is left the time that what runs in it takes to stop: Kubernetes ends it when its grace period is over, whatever is
// under way.
import { parse } from 'yaml'
import type { Container, PodTemplate, Rendering } from '../manifest.ts'
import { nameOf, workloads } from '../manifest.ts'
import { mountedFiles } from '../mounted-files.ts'

const GRACE_BY_DEFAULT_S = 30

/** The grace period of every pod is longer than what its service or its NATS server may take to stop. */
export function timeToStop(rendering: Rendering): string[] {
  return workloads(rendering)
    .filter(({ isLasting }) => isLasting)
    .flatMap(({ object, template }) => {
      const grace = template.spec.terminationGracePeriodSeconds ?? GRACE_BY_DEFAULT_S
      return template.spec.containers.flatMap((container) => {
        const needed = secondsToStop(container, template, rendering)
        if (needed === undefined) return []
        const before = container.lifecycle?.preStop?.sleep?.seconds ?? 0
        return grace > needed + before
          ? []
          : [`${nameOf(object)}: has ${grace} s to stop, and container ${container.name} may take ${needed + before} s`]
      })
    })
}

/** Undefined for what stops at once. */
function secondsToStop(container: Container, template: PodTemplate, rendering: Rendering): number | undefined {
  const config = configFile(container)
  const file = mountedFiles(container, template, rendering).files.find(({ path }) => path === config)
  if (file?.content === undefined) return undefined
  const lameDuck = /^\s*lame_duck_duration:\s*"(\d+)s"/m.exec(file.content)?.[1]
  if (lameDuck !== undefined) return Number(lameDuck)
  const settings = config?.endsWith('.yaml') === true ? (parse(file.content) as Settings | null) : undefined
  return settings?.stop?.deadline === undefined ? undefined : seconds(settings.stop.deadline)
}

interface Settings {
  readonly stop?: { readonly deadline?: string }
}

function configFile({ command = [], args = [] }: Container): string | undefined {
  const words = [...command, ...args]
  const at = words.indexOf('--config')
  return at < 0 ? words.find((word) => word.startsWith('--config='))?.slice('--config='.length) : words[at + 1]
}

const UNITS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600 }

function seconds(text: string): number {
  const match = /^(\d+)(ms|s|m|h)$/.exec(text)
  if (match === null) throw new Error(`stop.deadline: ${text} is no duration`)
  return Number(match[1]) * (UNITS[match[2] ?? ''] ?? Number.NaN)
}
