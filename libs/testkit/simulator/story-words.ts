/** Records and closings in the words of a story. */
import type { Closing } from '@posthouse/core/entry'
import type { MailRecord } from '@posthouse/core/record'

export function names(records: readonly MailRecord[]): string {
  return records
    .map(({ envelope: { id, recipients, suspect, body } }) => {
      const marks = (suspect ? '?' : '') + (body === undefined ? '' : `+${body.id}`)
      return `${id}/${recipients.map(({ index }) => index).join()}${marks}`
    })
    .join(' ')
}

export function closings(closes: readonly Closing[]): string {
  return closes
    .map(({ stream, seq, record, id, indexes, how }) => `${stream} ${seq}.${record} ${id}/${indexes.join()} ${how}`)
    .join('; ')
}
