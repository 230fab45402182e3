/** What a listener is for: submission after STARTTLS or over implicit TLS (RFC 6409, 8314), or relaying for networks. */
export const roles = ['submission', 'submissions', 'relay'] as const
export type Role = (typeof roles)[number]
