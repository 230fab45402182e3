// The rules as they are, but in a hurry: what takes minutes in an installation takes seconds in a test. Nothing else of them is changed.
import type { RulesFile } from '../alerts.ts'

/** Long enough for some scrapes, one a second, on a machine that is busy. */
const WINDOW = '20s'
const FOR = '2s'

/** A number of an expression, and the smaller one that takes its place. */
export type Smaller = Readonly<Record<string, readonly [before: string, after: string]>>

/** `smaller`: by the name of an alert. Throws when an alert, or what is to be replaced, is not there exactly once. */
export function hastyRules({ groups }: RulesFile, smaller: Smaller): RulesFile {
  const left = new Set(Object.keys(smaller))
  const hasty = groups.map(({ name, rules }) => ({
    name,
    rules: rules.map(({ expr, ...alert }) => {
      const [before, after] = smaller[alert.alert] ?? ['', '']
      if (left.delete(alert.alert) && expr.split(before).length !== 2)
        throw new Error(`${alert.alert} does not have ${before} once`)
      return {
        ...alert,
        expr: expr.replace(before, after).replaceAll(/\[\d+m\]/g, `[${WINDOW}]`),
        ...(alert.for === undefined ? {} : { for: FOR }),
      }
    }),
  }))
  if (left.size > 0) throw new Error(`no such alert: ${[...left].join(', ')}`)
  return { groups: hasty }
}
