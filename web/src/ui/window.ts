/**
 * Which rows of a long list stand on the page: those in sight, a screen more either way, and those that must not go,
 * wherever they are (they have the focus, or a selection begins in them). Between them gaps of the height of the rows
 * left out. Pure; rows are known by their keys.
 */

export interface Range {
  from: number
  /** The one after the last. */
  to: number
}

export type Part<R> = { type: 'row'; key: string; row: R } | { type: 'gap'; key: string; height: number }

/** The rows between `top` and `bottom`, both in pixels from the first row's upper edge. */
export function between(heights: readonly number[], top: number, bottom: number): Range {
  let from = 0
  let y = 0
  while (from < heights.length && y + heights[from]! <= top) y += heights[from++]!
  let to = from
  while (to < heights.length && y < bottom) y += heights[to++]!
  return { from, to: Math.max(to, Math.min(heights.length, from + 1)) }
}

/** As many rows from the end as fill `height`. */
export function ending(heights: readonly number[], height: number): Range {
  let from = heights.length
  let y = 0
  while (from > 0 && y < height) y += heights[--from]!
  return { from, to: heights.length }
}

export function parts<R extends { key: string }>(
  rows: readonly R[],
  heights: readonly number[],
  { from, to }: Range,
  held: ReadonlySet<string>,
): Part<R>[] {
  const result: Part<R>[] = []
  let gap = 0
  const close = (key: string) => {
    if (gap > 0) result.push({ type: 'gap', key: `gap ${key}`, height: gap })
    gap = 0
  }
  rows.forEach((row, index) => {
    if ((index < from || index >= to) && !held.has(row.key)) gap += heights[index]!
    else {
      close(row.key)
      result.push({ type: 'row', key: row.key, row })
    }
  })
  close('end')
  return result
}
