// Where the names of the faults stand above a plot: beside each other where there is room, else in rows. Pure.

const ELLIPSIS = '…'

export interface Label {
  readonly x: number
  readonly row: number
  readonly align: 'left' | 'right'
}

/**
 * Each label begins at its line, or ends there when it would reach over the right edge, in the lowest row where it covers no
 * other label and no line that leads up to one. The last one is placed first, so that lines cross no label placed before.
 * Positions come in rising order; widths are estimates.
 */
export function placeLabels(wanted: readonly { readonly x: number; readonly width: number }[], right: number): Label[] {
  const rows: [from: number, to: number][][] = []
  const placed = wanted.toReversed().map(({ x, width }): Label => {
    const align = x + width > right ? 'right' : 'left'
    const [from, to] = align === 'left' ? [x, x + width] : [x - width, x]
    const free = rows.findIndex((taken) => taken.every(([begin, end]) => to <= begin || end <= from))
    const row = free === -1 ? rows.length : free
    rows[row] = [...(rows[row] ?? []), [from, to]]
    for (const lower of rows.slice(0, row)) lower.push([x, x])
    return { x, row, align }
  })
  return placed.reverse()
}

export function shorten(text: string, length: number): string {
  return text.length <= length ? text : text.slice(0, length - 1).trimEnd() + ELLIPSIS
}
