/**
 * Seeds that once broke a promise, each named by what was wrong. A seed's story changes with the machine and the simulator:
 * they are kept because they were near to trouble once, and cost nothing.
 */
export const REGRESSIONS: readonly { readonly seed: number; readonly was: string }[] = [
  { seed: 145, was: "a former owner's late word closed a task that was still open" },
  { seed: 40, was: 'a new owner never purged what its predecessor had closed' },
  { seed: 364, was: 'an outcome waited over its cap while the monotonic clock stood still' },
  { seed: 572, was: 'a release was looked for before it was stored, and then not for two seconds' },
  { seed: 496, was: 'the last word on a bounced batch was deleted, and a repeat of it delivered' },
]
