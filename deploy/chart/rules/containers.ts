// What every container has beside what Pod Security asks for: nothing to write to but its volumes, resources, probes, an
// image that stays the same, and no token of the API server.
import type { Rendering } from '../manifest.ts'
import { containersOf, lastingContainers, nameOf, ofKind, workloads } from '../manifest.ts'

/** Nothing on the root file system can be changed. */
export function readOnlyRoot(rendering: Rendering): string[] {
  return eachContainer(rendering, ({ securityContext }) =>
    securityContext?.readOnlyRootFilesystem === true ? [] : ['readOnlyRootFilesystem is not true'],
  )
}

/** No pod gets a token of the API server, whoever its account is; nor does the account hand one out. */
export function noToken(rendering: Rendering): string[] {
  return [
    ...workloads(rendering)
      .filter(({ template }) => template.spec.automountServiceAccountToken !== false)
      .map(({ object }) => `${nameOf(object)}: automountServiceAccountToken is not false`),
    ...ofKind(rendering, 'ServiceAccount')
      .filter(({ automountServiceAccountToken }) => automountServiceAccountToken !== false)
      .map((object) => `${nameOf(object)}: automountServiceAccountToken is not false`),
    ...ofKind(rendering, 'Role', 'ClusterRole', 'RoleBinding', 'ClusterRoleBinding').map(
      (object) => `${nameOf(object)}: nothing here asks the API server for anything`,
    ),
  ]
}

/** The scheduler knows what a container needs, and no container can take the memory of its neighbours. */
export function resources(rendering: Rendering): string[] {
  return eachContainer(rendering, ({ resources: given }) => [
    ...['cpu', 'memory'].filter((what) => given?.requests?.[what] === undefined).map((what) => `requests no ${what}`),
    ...(given?.limits?.['memory'] === undefined ? ['has no limit of memory'] : []),
  ])
}

/** A container that goes on running is looked at; one that is connected to also says when it is ready. */
export function probes(rendering: Rendering): string[] {
  return workloads(rendering)
    .filter(({ isLasting }) => isLasting)
    .flatMap(({ object, template }) =>
      lastingContainers(template).flatMap((container) => {
        const wrong: string[] = []
        if (container.livenessProbe === undefined) wrong.push('has no livenessProbe')
        if ((container.ports ?? []).length > 0 && container.readinessProbe === undefined)
          wrong.push('has no readinessProbe')
        return wrong.map((what) => `${nameOf(object)}: container ${container.name} ${what}`)
      }),
    )
}

/** An image is named by a tag that is not moved, or by its digest. */
export function pinnedImages(rendering: Rendering): string[] {
  return eachContainer(rendering, ({ image = '' }) => {
    if (/@sha256:[0-9a-f]{64}$/.test(image)) return []
    if (image.includes('@')) return [`image ${image} has no whole digest`]
    const tag = /:([\w][\w.-]{0,127})$/.exec(image)?.[1]
    if (tag === undefined) return [`image ${image} has no tag`]
    return tag === 'latest' ? [`image ${image}: latest is another one every day`] : []
  })
}

function eachContainer(
  rendering: Rendering,
  wrong: (container: ReturnType<typeof containersOf>[number]) => readonly string[],
): string[] {
  return workloads(rendering).flatMap(({ object, template }) =>
    containersOf(template).flatMap((container) =>
      wrong(container).map((what) => `${nameOf(object)}: container ${container.name} ${what}`),
    ),
  )
}
