/** Why there is no connection to a destination, and whose fault that is. */
import { oneLine } from '@posthouse/core/reply-class'

export interface NoConnection {
  /**
   * 'unroutable': no host will ever take it; 'unreachable': not now. 'cut off': it is we who cannot get out, which says
   * nothing of the destination.
   */
  readonly is: 'unroutable' | 'unreachable' | 'cut off'
  readonly status: string
  readonly diagnostic: string
  /** The diagnostic is what `host` said. */
  readonly isReply: boolean
  readonly host?: string
}

export function unroutable(status: string, reason: string): NoConnection {
  return { is: 'unroutable', status, diagnostic: oneLine(reason), isReply: false }
}

export function unreachable(status: string, reason: string, host?: string): NoConnection {
  const failure: NoConnection = { is: 'unreachable', status, diagnostic: oneLine(reason), isReply: false }
  return host === undefined ? failure : { ...failure, host }
}

/** The host refuses to talk to us at all. */
export function refused(reply: string, host: string): NoConnection {
  return { is: 'unreachable', status: '4.3.2', diagnostic: oneLine(reply), isReply: true, host }
}

export function cutOff(reason: string): NoConnection {
  return { is: 'cut off', status: '4.4.0', diagnostic: oneLine(reason), isReply: false }
}
