// The lines that the sources can log: each call of a log with its level and its message. docs/logs.md names them all.

export interface LogLine {
  readonly level: string
  /** Constant by convention; of a template, what stands before its first variable. */
  readonly message: string
}

const CALL = /\b(?:log|strangersLog)(?:\??)\.(debug|info|warn|error|fatal)\(/gi

/** Every line that this source can log. Calls that hand on a message of somebody else's have none of their own. */
export function logLines(source: string): LogLine[] {
  const lines: LogLine[] = []
  for (const call of source.matchAll(CALL)) {
    const message = lastLiteral(argumentsAt(source, call.index + call[0].length))
    if (message !== undefined && message !== '') lines.push({ level: call[1] ?? '', message })
  }
  return lines
}

/** From behind the opening parenthesis to its closing one. */
function argumentsAt(source: string, start: number): string {
  let depth = 1
  let quote = ''
  for (let at = start; at < source.length; at += 1) {
    const char = source.charAt(at)
    if (quote !== '') {
      if (char === '\\') at += 1
      else if (char === quote) quote = ''
    } else if (char === "'" || char === '"' || char === '`') quote = char
    else if ('([{'.includes(char)) depth += 1
    else if (')]}'.includes(char)) depth -= 1
    if (depth === 0) return source.slice(start, at)
  }
  return ''
}

/** The message is the last argument. */
function lastLiteral(text: string): string | undefined {
  const match = /(?:^|,)\s*(['"`])((?:\\.|(?!\1).)*)\1\s*,?\s*$/s.exec(text)
  return match?.[2]?.split('${')[0]?.trim()
}
