// All rules, and what a scenario excuses from them: a rule takes a rendering and gives a line for each thing that is wrong.
import type { Rendering } from './manifest.ts'
import { noToken, pinnedImages, probes, readOnlyRoot, resources } from './rules/containers.ts'
import { currentVersions, lastingSelectors, onlyKubernetesKinds, properNames, standardLabels } from './rules/labels.ts'
import { restrictedPodSecurity } from './rules/pod-security.ts'
import { accounts, keys, namedFiles, noLeftovers, volumes } from './rules/references.ts'
import { secretsInSecrets } from './rules/secrecy.ts'
import {
  autoscalers,
  disruptionBudgets,
  governingServices,
  monitors,
  probedPorts,
  restrictedNetwork,
  services,
} from './rules/selection.ts'
import { timeToStop } from './rules/stopping.ts'

/** What the user of a rendering has asked for. */
export interface Excuses {
  /** Workloads on the network of their nodes, as "Deployment/mail-posthouse-delivery". */
  readonly hostNetwork?: readonly string[]
  /** Workloads without a PodDisruptionBudget. */
  readonly noBudget?: readonly string[]
  /** Kinds that not every cluster has. */
  readonly kinds?: readonly string[]
  /** Namespaces beside that of the release. */
  readonly namespaces?: readonly string[]
  /** ServiceAccounts that the user has made. */
  readonly accounts?: readonly string[]
  /** No policies: the network of the cluster is open. */
  readonly openNetwork?: boolean
}

export interface Rule {
  readonly name: string
  readonly check: (rendering: Rendering, excuses: Excuses) => string[]
}

/** For others than pods: the authority signs at the next upgrade; Grafana looks for dashboards. */
const KEPT = [/-authority$/, /-dashboard-/]

export const rules: readonly Rule[] = [
  {
    name: 'restricted Pod Security',
    check: (rendering, { hostNetwork = [] }) => restrictedPodSecurity(rendering, { hostNetwork }),
  },
  { name: 'read-only root', check: readOnlyRoot },
  { name: 'no token', check: noToken },
  { name: 'resources', check: resources },
  { name: 'probes', check: probes },
  { name: 'pinned images', check: pinnedImages },
  { name: 'standard labels', check: standardLabels },
  { name: 'proper names', check: (rendering, { namespaces }) => properNames(rendering, namespaces) },
  { name: 'lasting selectors', check: lastingSelectors },
  { name: 'current versions', check: currentVersions },
  { name: 'only Kubernetes kinds', check: (rendering, { kinds }) => onlyKubernetesKinds(rendering, kinds) },
  { name: 'services', check: services },
  { name: 'governing services', check: governingServices },
  { name: 'disruption budgets', check: (rendering, { noBudget }) => disruptionBudgets(rendering, noBudget) },
  { name: 'autoscalers', check: autoscalers },
  { name: 'monitors', check: monitors },
  { name: 'probed ports', check: probedPorts },
  {
    name: 'restricted network',
    check: (rendering, { openNetwork = false }) => (openNetwork ? [] : restrictedNetwork(rendering)),
  },
  { name: 'volumes', check: volumes },
  { name: 'keys', check: keys },
  { name: 'named files', check: namedFiles },
  { name: 'accounts', check: (rendering, excuses) => accounts(rendering, excuses.accounts) },
  { name: 'no leftovers', check: (rendering) => noLeftovers(rendering, KEPT) },
  { name: 'secrets in Secrets', check: secretsInSecrets },
  { name: 'time to stop', check: timeToStop },
]

/** Everything that is wrong, each line with the name of its rule. */
export function broken(rendering: Rendering, excuses: Excuses = {}): string[] {
  return rules.flatMap(({ name, check }) => check(rendering, excuses).map((what) => `${name}: ${what}`))
}
