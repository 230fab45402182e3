/**
 * What a record's `traceparent` (W3C Trace Context, level 1) says to those who only log: the trace that its message
 * belongs to, if that trace is kept.
 */

const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-|$)/

/**
 * The trace id, 32 hexadecimal digits. Undefined without a trace, and for one that nobody keeps (not sampled): its id
 * would lead to nothing. Cheap enough for every line of the log.
 */
export function keptTrace(traceparent: string | undefined): string | undefined {
  if (traceparent === undefined || !TRACEPARENT.test(traceparent)) return undefined
  // The last bit of the flags is "sampled".
  return parseInt(traceparent.charAt(54), 16) % 2 === 1 ? traceparent.slice(3, 35) : undefined
}
