// The named forms a string setting can have. Each says in words what is expected, for messages and docs.
import { isIP } from 'node:net'

export type Format = 'host:port' | 'host' | 'ip' | 'cidr' | 'url' | 'name' | 'path'

export const formats: Readonly<Record<Format, { readonly words: string; readonly fits: (text: string) => boolean }>> = {
  'host:port': { words: 'host:port, such as 127.0.0.1:4222', fits: (text) => splitHostPort(text) !== undefined },
  host: { words: 'a host name or an IP address', fits: isHost },
  ip: { words: 'an IP address', fits: (text) => isIP(text) !== 0 },
  cidr: { words: 'a network, such as 10.0.0.0/8 or fd00::/8', fits: isNetwork },
  url: {
    words: 'an http or https URL',
    fits: (text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol),
  },
  name: {
    words: 'a name of letters, digits, "-", "_" and "."',
    fits: (text) => /^[A-Za-z0-9][\w.-]{0,62}$/.test(text),
  },
  path: { words: 'a file path', fits: (text) => text !== '' && !text.includes('\0') },
}

/** Splits "host:port" and "[v6]:port"; undefined when it is neither. */
export function splitHostPort(text: string): { readonly host: string; readonly port: number } | undefined {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text)
  if (!match) return undefined
  const [, v6, name, digits] = match
  const port = Number(digits)
  const host = v6 ?? name ?? ''
  if (port < 1 || port > 65535) return undefined
  return (v6 !== undefined ? isIP(v6) === 6 : isHost(host)) ? { host, port } : undefined
}

function isHost(text: string): boolean {
  if (isIP(text) !== 0) return true
  if (text.length > 253 || /^[\d.]+$/.test(text)) return false
  return text.split('.').every((label) => /^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/.test(label))
}

function isNetwork(text: string): boolean {
  const match = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text)
  const family = isIP(match?.[1] ?? '')
  return family !== 0 && Number(match?.[2] ?? 0) <= (family === 4 ? 32 : 128)
}
