// The trace id of a W3C traceparent (https://www.w3.org/TR/trace-context/), for the exemplar of a histogram.

/** "00-", 32 hex digits, "-", 16 hex digits, "-", flags. */
const LENGTH = 55

/** Undefined if there is none, or nobody records the trace: an exemplar should lead somewhere. */
export function sampledTraceId(traceparent: string | undefined): string | undefined {
  if (traceparent === undefined || traceparent.length < LENGTH) return undefined
  // The last hex digit of the flags has the bit "sampled". Digits are odd as their code is; of the letters b, d and f are.
  const digit = traceparent.charCodeAt(LENGTH - 1)
  const isSampled = digit < 0x40 ? (digit & 1) === 1 : (digit & 1) === 0
  return isSampled ? traceparent.slice(3, 35) : undefined
}
