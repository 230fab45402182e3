// `--limit N` of the commands that show a list.
import type { Given } from './command.ts'
import { failed, type Failed } from './status.ts'

/** `highest` at most, `usual` without the option. */
export function limitIn(given: Given, usual: number, highest: number): number | Failed {
  const text = given.value('limit') ?? String(usual)
  const limit = /^\d+$/.test(text) && text.length <= String(highest).length ? Number(text) : 0
  if (limit >= 1 && limit <= highest) return limit
  return failed('usage', `--limit: must be a number from 1 to ${highest}, not ${JSON.stringify(text)}`)
}
