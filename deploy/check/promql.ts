// Which metrics and labels a PromQL expression speaks of. No parser: it tells names from functions, keywords and label lists, which
// is enough for expressions that Prometheus takes; whether it does is for promtool and Prometheus to say.

export interface Matcher {
  readonly label: string
  readonly operator: string
  /** Without quotes; may have Grafana's variables in it. */
  readonly value: string
}

export interface Selector {
  /** '' when only matchers are given. */
  readonly metric: string
  readonly matchers: readonly Matcher[]
}

export interface Names {
  readonly selectors: readonly Selector[]
  /** Labels in by (…), on (…) and the like. */
  readonly grouping: readonly string[]
}

const TOKEN =
  /\s+|#[^\n]*|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`|\[[^\]]*\]|\$\w+|[a-zA-Z_:][\w:]*|\d[\w.]*|=~|!~|!=|[^]/g
const NAME = /^[a-zA-Z_:]/
const GROUPING = new Set(['by', 'without', 'on', 'ignoring', 'group_left', 'group_right'])
const KEYWORDS = new Set(['and', 'or', 'unless', 'bool', 'offset', 'atan2', 'inf', 'nan', 'start', 'end'])
const AGGREGATORS = new Set('sum min max avg group stddev stdvar count count_values bottomk topk quantile'.split(' '))

export function namesIn(expression: string): Names {
  const tokens = (expression.match(TOKEN) ?? []).filter((token) => !/^(\s|#)/.test(token))
  const selectors: Selector[] = []
  const grouping: string[] = []
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at] as string
    const next = tokens[at + 1]
    if (token === '{') {
      const end = tokens.indexOf('}', at)
      selectors.push({ metric: '', matchers: matchersIn(tokens.slice(at + 1, end)) })
      at = end
    } else if (!NAME.test(token)) continue
    else if (GROUPING.has(token)) {
      if (next !== '(') continue
      const end = tokens.indexOf(')', at)
      grouping.push(...tokens.slice(at + 2, end).filter((name) => NAME.test(name)))
      at = end
    } else if (next === '(' || KEYWORDS.has(token.toLowerCase()) || AGGREGATORS.has(token)) continue
    else if (next === '{') {
      const end = tokens.indexOf('}', at)
      selectors.push({ metric: token, matchers: matchersIn(tokens.slice(at + 2, end)) })
      at = end
    } else selectors.push({ metric: token, matchers: [] })
  }
  return { selectors, grouping }
}

function matchersIn(tokens: readonly string[]): Matcher[] {
  const matchers: Matcher[] = []
  for (let at = 0; at + 2 < tokens.length; at += 4) {
    const [label = '', operator = '', value = ''] = tokens.slice(at, at + 3)
    matchers.push({ label, operator, value: value.slice(1, -1) })
  }
  return matchers
}
