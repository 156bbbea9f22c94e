/** Where in a text somebody is being called, and what becomes of the text. Pure. */

import type { Labels } from '../../text/mentions'

/** `from`: of the sign @; `query`: what was written after it. */
export interface Asked {
  from: number
  query: string
}

/** An @ at the beginning of a word; not that of an address (a letter or digit before it), and no name has 20 letters. */
const ASKED = /(?:^|[^A-Za-z0-9._%+-])([@＠])([^\s@＠、。,]{0,20})$/

export function asked(text: string, caret: number): Asked | null {
  const match = ASKED.exec(text.slice(0, caret))
  return match === null ? null : { from: caret - match[2]!.length - 1, query: match[2]! }
}

/** Where the name begins that ends at the caret: it goes as a whole, as it came. */
export function nameBefore(text: string, caret: number, labels: Labels): number | null {
  const before = text.slice(0, caret)
  const ends = Object.keys(labels).filter((label) => before.endsWith(label))
  return ends.length === 0 ? null : caret - Math.max(...ends.map(({ length }) => length))
}

/** Replaces a part of what is in the field so that the browser's own undo knows of it. */
export function put(field: HTMLTextAreaElement, from: number, to: number, text: string): void {
  field.focus()
  field.setSelectionRange(from, to)
  if (document.execCommand(text === '' ? 'delete' : 'insertText', false, text)) return
  field.setRangeText(text, from, to, 'end')
  field.dispatchEvent(new InputEvent('input', { bubbles: true }))
}
