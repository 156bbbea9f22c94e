/**
 * Markdown as a tree of what the page can show. There is no HTML in it and nothing that is fetched: tags are words, and of a
 * picture its description stays. Whatever is written costs time in proportion to its length.
 */

import { type Inline, inline } from './inline'

export type Block =
  | { type: 'heading'; level: number; children: Inline[] }
  | { type: 'paragraph'; children: Inline[] }
  /** A line that the server put where two people wrote at once. */
  | { type: 'mark'; text: string; begins: boolean }
  | { type: 'list'; ordered: boolean; start: number; items: Item[] }
  | { type: 'quote'; blocks: Block[] }
  | { type: 'code'; text: string }
  | { type: 'rule' }
  | { type: 'table'; align: Align[]; head: Inline[][]; rows: Inline[][][] }

export interface Item {
  /** Of a check list; null in others. */
  checked: boolean | null
  blocks: Block[]
}

export type Align = 'left' | 'right' | 'center' | null

/** Lists and quotes within each other: what lies deeper is text. */
const DEPTH = 8
const FENCE = /^ {0,3}(`{3,}|~{3,})/
const HEADING = /^ {0,3}(#{1,6})(?=[ \t\u3000]|$)/
const QUOTE = /^ {0,3}>/
const ITEM = /^( *)([-*+]|\d{1,9}[.)])(?: +|$)/
const CHECK = /^\[([ xX])\](?: |$)/
const UNDERLINE = /^ {0,3}(=+|-+) *$/
const CONFLICT = '〔同時に編集されました: '
const CONFLICT_END = '〔ここまで〕'

export function markdown(text: string): Block[] {
  return blocksOf(text.replaceAll('\r\n', '\n').replaceAll('\t', '    ').split('\n'), 0)
}

function blocksOf(lines: readonly string[], depth: number): Block[] {
  const blocks: Block[] = []
  let at = 0
  while (at < lines.length) {
    const line = lines[at]!
    if (line.trim() === '') {
      at += 1
      continue
    }
    const [block, next] =
      fence(lines, at) ??
      heading(line, at) ??
      mark(line, at) ??
      rule(line, at) ??
      (depth < DEPTH ? (quote(lines, at, depth) ?? list(lines, at, depth)) : null) ??
      table(lines, at) ??
      paragraph(lines, at, depth)
    blocks.push(block)
    at = next
  }
  return blocks
}

/** A block, and the line after it; null where another kind begins here. */
type Found = [Block, number] | null

function fence(lines: readonly string[], at: number): Found {
  const opening = FENCE.exec(lines[at]!)?.[1]
  if (opening === undefined) return null
  let end = at + 1
  while (end < lines.length && !closes(lines[end]!, opening)) end += 1
  return [{ type: 'code', text: lines.slice(at + 1, end).join('\n') }, end + 1]
}

function closes(line: string, opening: string): boolean {
  const closing = FENCE.exec(line)?.[1]
  return closing !== undefined && closing[0] === opening[0] && closing.length >= opening.length && line.trim() === closing
}

function heading(line: string, at: number): Found {
  const match = HEADING.exec(line)
  if (match === null) return null
  let text = line.slice(match[0].length).trim()
  // Signs at the end are decoration, where a space stands before them.
  let end = text.length
  while (end > 0 && text[end - 1] === '#') end -= 1
  if (end === 0 || text[end - 1] === ' ') text = text.slice(0, end).trimEnd()
  return [{ type: 'heading', level: match[1]!.length, children: inline(text) }, at + 1]
}

function mark(line: string, at: number): Found {
  if (!isMark(line)) return null
  const text = line.trim()
  return [{ type: 'mark', text: text.slice(1, -1), begins: text.startsWith(CONFLICT) }, at + 1]
}

function isMark(line: string): boolean {
  const text = line.trim()
  return text === CONFLICT_END || (text.startsWith(CONFLICT) && text.endsWith('〕'))
}

function rule(line: string, at: number): Found {
  return isRule(line) ? [{ type: 'rule' }, at + 1] : null
}

function isRule(line: string): boolean {
  return !line.startsWith('    ') && /^(\*{3,}|-{3,}|_{3,})$/.test(line.replaceAll(' ', ''))
}

function quote(lines: readonly string[], at: number, depth: number): Found {
  if (!QUOTE.test(lines[at]!)) return null
  let end = at
  while (end < lines.length && QUOTE.test(lines[end]!)) end += 1
  const inner = lines.slice(at, end).map((line) => line.replace(/^ {0,3}> ?/, ''))
  return [{ type: 'quote', blocks: blocksOf(inner, depth + 1) }, end]
}

function list(lines: readonly string[], at: number, depth: number): Found {
  const first = ITEM.exec(lines[at]!)
  if (first === null) return null
  const sign = signOf(first)
  const items: Item[] = []
  let next = at
  while (next < lines.length) {
    const match = ITEM.exec(lines[next]!)
    if (match === null || signOf(match) !== sign || isRule(lines[next]!)) break
    const [item, end] = itemAt(lines, next, match, depth)
    items.push(item)
    next = end
    // A blank line between two items does not end the list.
    let over = next
    while (over < lines.length && lines[over]!.trim() === '') over += 1
    const follows = ITEM.exec(lines[over] ?? '')
    if (follows !== null && signOf(follows) === sign && follows[1]!.length < match[1]!.length + 2) next = over
    else break
  }
  const ordered = !'-*+'.includes(sign)
  return [{ type: 'list', ordered, start: ordered ? parseInt(first[2]!, 10) : 1, items }, next]
}

/** `1)` and `1.` are lists of their own, as `-` and `*` are. */
const signOf = (match: RegExpExecArray): string => match[2]!.at(-1)!

function itemAt(lines: readonly string[], at: number, match: RegExpExecArray, depth: number): [Item, number] {
  const indent = match[1]!.length
  const content = match[0].length
  const inner = [lines[at]!.slice(content)]
  let end = at + 1
  for (; end < lines.length; end++) {
    const line = lines[end]!
    const own = line.length - line.trimStart().length
    if (line.trim() === '') {
      // It belongs to the item where what follows does.
      let over = end
      while (over < lines.length && lines[over]!.trim() === '') over += 1
      const after = lines[over]
      if (after === undefined || after.length - after.trimStart().length < indent + 2) break
      for (; end < over; end++) inner.push('')
      end -= 1
    } else if (own >= indent + 2) {
      inner.push(line.slice(Math.min(own, content)))
    } else if (inner.at(-1)!.trim() !== '' && !starts(line)) {
      inner.push(line.trimStart())
    } else {
      break
    }
  }
  const check = CHECK.exec(inner[0]!)
  if (check !== null) inner[0] = inner[0]!.slice(check[0].length)
  return [{ checked: check === null ? null : check[1] !== ' ', blocks: blocksOf(inner, depth + 1) }, end]
}

function table(lines: readonly string[], at: number): Found {
  const [head, ruler] = [lines[at]!, lines[at + 1]]
  if (!head.includes('|') || ruler === undefined || !/^[ |:-]+$/.test(ruler) || !ruler.includes('-')) return null
  const marks = cells(ruler)
  const names = cells(head)
  if (marks.length !== names.length || !marks.every((cell) => /^:?-+:?$/.test(cell))) return null
  let end = at + 2
  const rows: Inline[][][] = []
  while (end < lines.length && lines[end]!.trim() !== '' && !starts(lines[end]!)) {
    const row = cells(lines[end]!)
    rows.push(names.map((_, column) => inline(row[column] ?? '')))
    end += 1
  }
  return [{ type: 'table', align: marks.map(alignOf), head: names.map((name) => inline(name)), rows }, end]
}

function cells(line: string): string[] {
  const trimmed = line.trim().replace(/^\|/, '')
  const result: string[] = []
  let cell = ''
  for (let at = 0; at < trimmed.length; at++) {
    const character = trimmed[at]!
    if (character === '\\' && trimmed[at + 1] === '|') {
      cell += '|'
      at += 1
    } else if (character === '|') {
      result.push(cell.trim())
      cell = ''
    } else {
      cell += character
    }
  }
  if (cell.trim() !== '' || result.length === 0) result.push(cell.trim())
  return result
}

function alignOf(mark: string): Align {
  const [left, right] = [mark.startsWith(':'), mark.endsWith(':')]
  return left && right ? 'center' : right ? 'right' : left ? 'left' : null
}

function paragraph(lines: readonly string[], at: number, depth: number): [Block, number] {
  const own = [lines[at]!.trim()]
  let end = at + 1
  for (; end < lines.length; end++) {
    const line = lines[end]!
    const underline = UNDERLINE.exec(line)?.[1]
    if (underline !== undefined) {
      return [{ type: 'heading', level: underline.startsWith('=') ? 1 : 2, children: inline(own.join('\n')) }, end + 1]
    }
    if (line.trim() === '' || (starts(line) && depth < DEPTH) || isMark(line)) break
    own.push(line.trim())
  }
  return [{ type: 'paragraph', children: inline(own.join('\n')) }, end]
}

/** Whether this line ends a paragraph, because something else begins. */
function starts(line: string): boolean {
  return FENCE.test(line) || HEADING.test(line) || isMark(line) || isRule(line) || QUOTE.test(line) || ITEM.test(line)
}
