// The configuration of the load balancer: TCP for each kind of listener, and the health of an edge by its /readyz, looked at
// so often that a dead one is out in less than a second. Places for edges to come are there from the start, disabled.

import { HTTP_PORT, SMTP_PORTS, type Role } from './ports.ts'

/** Most edges that a room may have. */
export const SLOTS = 8

export const ROLES = Object.keys(SMTP_PORTS) as Role[]
/** Whose health checks are also those of the other roles: an edge is asked once. */
export const CHECKED: Role = 'relay'

export interface BalancerPlan {
  readonly host: string
  readonly socket: string
  readonly slots: readonly { readonly name: string; readonly address: string; readonly enabled: boolean }[]
}

export function haproxyConfig({ host, socket, slots }: BalancerPlan): string {
  const server = (role: Role) => (slot: BalancerPlan['slots'][number]) => {
    const health = role === CHECKED ? `check port ${HTTP_PORT}` : `track ${CHECKED}/${slot.name}`
    const disabled = slot.enabled ? '' : ' disabled'
    return `  server ${slot.name} ${slot.address}:${SMTP_PORTS[role]} ${health}${disabled}`
  }
  const lines = [
    'global',
    `  stats socket ${socket} mode 600 level admin`,
    '  maxconn 8000',
    'defaults',
    '  mode tcp',
    '  balance leastconn',
    '  retries 3',
    '  option redispatch 1',
    '  timeout connect 300ms',
    '  timeout check 300ms',
    '  timeout client 15m',
    '  timeout server 15m',
    '  default-server inter 200ms fall 2 rise 1 on-marked-down shutdown-sessions',
    ...ROLES.flatMap((role) => [
      `listen ${role}`,
      `  bind ${host}:${SMTP_PORTS[role]}`,
      ...(role === CHECKED ? ['  option httpchk GET /readyz', '  http-check expect status 200'] : []),
      ...slots.map(server(role)),
    ]),
  ]
  return lines.join('\n') + '\n'
}
