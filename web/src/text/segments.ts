/** A message's text in pieces that the page may show: plain text, mentions and links. Nothing is ever read as HTML. */

import type { Message, TextBlock } from '../protocol/types'

export type Segment =
  | { type: 'text'; text: string }
  | { type: 'mention'; name: string; everyone: boolean; person: boolean; id: string }
  | { type: 'link'; href: string }

// Both are linear: no nested repetition, so the largest message costs no more than its length.
const MENTION = /<@(?:(user|department):([A-Za-z0-9_-]{1,64})|everyone)>/g
const LINK = /https?:\/\/[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=%]+/g
const LINK_HERE = new RegExp(LINK.source, 'y')
/** Blocks of which the page shows all: pictures and rows stand below the text. */
const KNOWN = new Set(['text', 'photos', 'files'])
/** What ends a sentence around a link, not the link. */
const TRAILING = ".,:;!?'()]"

/** It has a block of a later version, or of a bot: what that says stands in the message's plain text alone. */
export function isStrange(message: Message): boolean {
  return (message.blocks ?? []).some(({ type, v }) => !KNOWN.has(type) || (v ?? 1) > 1)
}

export function segments(message: Message): Segment[] {
  const blocks = message.blocks ?? []
  const texts = blocks.filter((block): block is TextBlock => block.type === 'text' && 'text' in block)
  if (isStrange(message) || (blocks.length === 0 && message.text !== undefined)) return links(message.text ?? '')
  return texts.flatMap((block, index) => mentions(`${index > 0 ? '\n' : ''}${block.text}`, message.mentions ?? {}))
}

function mentions(text: string, names: Record<string, string>): Segment[] {
  const result: Segment[] = []
  let end = 0
  for (const match of text.matchAll(MENTION)) {
    result.push(...links(text.slice(end, match.index)))
    const [whole, kind, id] = match
    const key = kind === undefined ? 'everyone' : `${kind}:${id}`
    const name = names[key] ?? (kind === undefined ? '全員' : '…')
    result.push({ type: 'mention', name, everyone: kind === undefined, person: kind === 'user', id: id ?? '' })
    end = match.index + whole.length
  }
  result.push(...links(text.slice(end)))
  return result
}

/** From the end, because an expression that looks for the end tries every place: quadratic in a link full of dots. */
function trimmed(link: string): string {
  let end = link.length
  while (end > 0 && TRAILING.includes(link.charAt(end - 1))) end -= 1
  return link.slice(0, end)
}

/** The link that begins at `at`, if one does. */
export function linkAt(text: string, at: number): string | null {
  if (!text.startsWith('http', at)) return null
  LINK_HERE.lastIndex = at
  const href = trimmed(LINK_HERE.exec(text)?.[0] ?? '')
  return URL.canParse(href) ? href : null
}

export function links(text: string): Segment[] {
  const result: Segment[] = []
  let end = 0
  const plain = (part: string) => {
    if (part !== '') result.push({ type: 'text', text: part })
  }
  for (const match of text.matchAll(LINK)) {
    const href = trimmed(match[0])
    if (!URL.canParse(href)) continue
    plain(text.slice(end, match.index))
    result.push({ type: 'link', href })
    end = match.index + href.length
  }
  plain(text.slice(end))
  return result
}
