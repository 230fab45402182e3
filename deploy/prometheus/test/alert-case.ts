// A case of an alert: what befalls a site that is well, and all that fires at a minute after it.
import type { HealthySite } from './healthy-site.ts'

export interface AlertCase {
  /** A sentence. */
  readonly name: string
  /** The alert that it is about. */
  readonly alert: string
  readonly ill?: (site: HealthySite) => void
  /** Minutes from the first sample; of those that fire, the first at which they do. */
  readonly at: number
  readonly fires: readonly Firing[]
}

export interface Firing {
  readonly alert: string
  /** Without those that the rule itself gives. */
  readonly labels: (site: HealthySite) => Readonly<Record<string, string>>
  /** The description as people read it. */
  readonly says: (site: HealthySite) => string
}

// One installation, by its namespace or, without one, all that there is.
function installation(site: HealthySite): Record<string, string> {
  const { namespace } = site.target('edge-1')
  return namespace === undefined ? {} : { namespace }
}

/** `says` is the description, with IN for the words about the namespace. */
export function of(alert: string, says: string, labels: Readonly<Record<string, string>> = {}): Firing {
  return {
    alert,
    labels: (site) => ({ ...installation(site), ...labels }),
    says: (site) => says.replace(' IN', site.target('edge-1')['namespace'] === undefined ? '' : ' in mail'),
  }
}

/** `says` is the description, with NODE for the node, and JOB for its job. */
export function ofNode(alert: string, node: string, says: string): Firing {
  return {
    alert,
    labels: (site) => site.target(node),
    says: (site) => {
      const { pod, instance = '', job = '' } = site.target(node)
      return says.replace('NODE', pod ?? instance).replace('JOB', job)
    },
  }
}

/** As `of`, where there is nothing that could have a namespace. */
export function ofNothing(alert: string, says: string): Firing {
  return { alert, labels: () => ({}), says: () => says.replace(' IN', '') }
}
