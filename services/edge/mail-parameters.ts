/**
 * The ESMTP parameters of MAIL and RCPT (RFC 1870, 6152, 6531, 3461, 4954): parsed and judged by their own text. A
 * parameter that is unknown or appears twice is refused, never ignored.
 */
import type { ReplyName } from './replies.ts'

export interface MailParameters {
  readonly size?: number
  readonly body8bit?: boolean
  readonly smtputf8?: boolean
  readonly ret?: 'FULL' | 'HDRS'
  readonly envid?: string
}
export interface RecipientParameters {
  readonly notify?: readonly string[]
  readonly orcpt?: string
}
export type Parsed<T> = { readonly is: 'ok'; readonly value: T } | { readonly is: 'refused'; readonly name: ReplyName }

const noParameters = { is: 'ok', value: {} } as const
const xtext = /^(?:[!-*,-<>-~]|\+[0-9A-F]{2})+$/

export function parseMailParameters(text: string): Parsed<MailParameters> {
  if (text === '') return noParameters
  const value: { -readonly [Key in keyof MailParameters]: MailParameters[Key] } = {}
  return parse(text, value, (key, given) => {
    switch (key) {
      case 'SIZE':
        if (given === undefined || !/^\d{1,20}$/.test(given)) return 'badParameter'
        value.size = Number(given)
        return undefined
      case 'BODY':
        if (given?.toUpperCase() === '8BITMIME') value.body8bit = true
        else if (given?.toUpperCase() !== '7BIT') return 'badParameter'
        return undefined
      case 'SMTPUTF8':
        if (given !== undefined) return 'badParameter'
        value.smtputf8 = true
        return undefined
      case 'RET': {
        const ret = given?.toUpperCase()
        if (ret !== 'FULL' && ret !== 'HDRS') return 'badParameter'
        value.ret = ret
        return undefined
      }
      case 'ENVID':
        if (given === undefined || given.length > 100 || !xtext.test(given)) return 'badParameter'
        value.envid = given
        return undefined
      case 'AUTH':
        // RFC 4954 5: who the message came from first. Taken, and not believed.
        return given === undefined ? 'badParameter' : undefined
      default:
        return 'unknownParameter'
    }
  })
}

const notifyWords = new Set(['SUCCESS', 'FAILURE', 'DELAY'])

export function parseRecipientParameters(text: string): Parsed<RecipientParameters> {
  if (text === '') return noParameters
  const value: { -readonly [Key in keyof RecipientParameters]: RecipientParameters[Key] } = {}
  return parse(text, value, (key, given) => {
    switch (key) {
      case 'NOTIFY': {
        const words = given?.toUpperCase().split(',') ?? []
        const never = words.length === 1 && words[0] === 'NEVER'
        if (!never && (words.length === 0 || !words.every((word) => notifyWords.has(word)))) return 'badParameter'
        value.notify = words
        return undefined
      }
      case 'ORCPT':
        if (given === undefined || given.length > 500) return 'badParameter'
        if (!/^[A-Za-z0-9-]+;[!-~\u00a0-\u{10ffff}]+$/u.test(given)) return 'badParameter'
        value.orcpt = given
        return undefined
      default:
        return 'unknownParameter'
    }
  })
}

function parse<T>(
  text: string,
  value: T,
  take: (key: string, given: string | undefined) => ReplyName | undefined,
): Parsed<T> {
  const seen = new Set<string>()
  for (const part of text.split(' ')) {
    if (part === '') continue
    const equals = part.indexOf('=')
    const key = (equals < 0 ? part : part.slice(0, equals)).toUpperCase()
    if (seen.has(key)) return { is: 'refused', name: 'badParameter' }
    seen.add(key)
    const wrong = take(key, equals < 0 ? undefined : part.slice(equals + 1))
    if (wrong !== undefined) return { is: 'refused', name: wrong }
  }
  return { is: 'ok', value }
}
