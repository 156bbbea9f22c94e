/** What stands within a line of Markdown: emphasis, code, links. */

import { linkAt } from './segments'

export type Inline =
  | { type: 'text'; text: string }
  | { type: 'code'; text: string }
  | { type: 'strong' | 'em' | 'del'; children: Inline[] }
  | { type: 'link'; href: string; children: Inline[] }
  | { type: 'break' }

/** Emphasis that has begun and may end. */
interface Open {
  sign: string
  type: 'strong' | 'em' | 'del'
  children: Inline[]
}

const NESTED = 12
const ADDRESS = 2_000
const PUNCTUATION = /[!-/:-@[-`{-~]/
const WORD = /[A-Za-z0-9]/
const SPACE = /\s/

export function inline(text: string): Inline[] {
  return new Reader(text, true).read()
}

class Reader {
  readonly #text: string
  /** Not within a link's own words. */
  readonly #links: boolean
  readonly #closing: Map<number, number>
  readonly #open: Open[] = []
  readonly #result: Inline[] = []
  /** Runs of so many backticks have no partner from here on: without this, each would look to the end. */
  readonly #alone = new Set<number>()
  #plain = ''
  #at = 0

  constructor(text: string, links: boolean) {
    this.#text = text
    this.#links = links
    this.#closing = brackets(text)
  }

  read(): Inline[] {
    while (this.#at < this.#text.length) this.#step()
    this.#flush()
    // What was never closed was no emphasis.
    for (const { sign, children } of this.#open) this.#result.push({ type: 'text', text: sign }, ...children)
    return joined(this.#result)
  }

  #step(): void {
    const text = this.#text
    const at = this.#at
    const character = text[at]!
    switch (character) {
      case '\\':
        if (text[at + 1] === '\n') return this.#take({ type: 'break' }, 2)
        if (PUNCTUATION.test(text[at + 1] ?? '')) return this.#say(text[at + 1]!, 2)
        return this.#say(character, 1)
      case '\n':
        this.#plain = this.#plain.trimEnd()
        return this.#take({ type: 'break' }, 1)
      case '`':
        return this.#code()
      case '!':
        return text[at + 1] === '[' ? this.#picture() : this.#say(character, 1)
      case '[':
        return this.#link()
      case '*':
      case '_':
      case '~':
        return this.#emphasis(character)
      default: {
        const href = character === 'h' && this.#links && !WORD.test(text[at - 1] ?? '') ? linkAt(text, at) : null
        if (href === null) return this.#say(character, 1)
        return this.#take({ type: 'link', href, children: [{ type: 'text', text: href }] }, href.length)
      }
    }
  }

  #say(words: string, length: number): void {
    this.#plain += words
    this.#at += length
  }

  #take(node: Inline, length: number): void {
    this.#flush()
    this.#into.push(node)
    this.#at += length
  }

  #flush(): void {
    if (this.#plain !== '') this.#into.push({ type: 'text', text: this.#plain })
    this.#plain = ''
  }

  get #into(): Inline[] {
    return this.#open.at(-1)?.children ?? this.#result
  }

  #code(): void {
    const length = run(this.#text, this.#at, '`')
    const from = this.#at + length
    let end = this.#alone.has(length) ? -1 : this.#text.indexOf('`', from)
    while (end >= 0) {
      const other = run(this.#text, end, '`')
      if (other === length) break
      end = this.#text.indexOf('`', end + other)
    }
    if (end < 0) {
      this.#alone.add(length)
      return this.#say('`'.repeat(length), length)
    }
    let code = this.#text.slice(from, end).replaceAll('\n', ' ')
    if (code.startsWith(' ') && code.endsWith(' ') && code.trim() !== '') code = code.slice(1, -1)
    this.#take({ type: 'code', text: code }, end + length - this.#at)
  }

  #picture(): void {
    const target = this.#target(this.#at + 1)
    if (target === null) return this.#say('!', 1)
    this.#say(`［${target.label}］`, target.end - this.#at)
  }

  #link(): void {
    const target = this.#links ? this.#target(this.#at) : null
    if (target === null) return this.#say('[', 1)
    const { href, label, end } = target
    // An address that a browser must not follow (javascript:, data:) is words.
    if (!/^https?:\/\//i.test(href) || !URL.canParse(href)) return this.#say(this.#text.slice(this.#at, end), end - this.#at)
    this.#take({ type: 'link', href, children: new Reader(label === '' ? href : label, false).read() }, end - this.#at)
  }

  /** `[label](address "title")` from its bracket on. */
  #target(bracket: number): { label: string; href: string; end: number } | null {
    const close = this.#closing.get(bracket)
    if (close === undefined || this.#text[close + 1] !== '(') return null
    const label = this.#text.slice(bracket + 1, close)
    const rest = this.#text.slice(close + 2, close + 2 + ADDRESS)
    const match = /^\s*(?:<([^<>\n]*)>|([^\s()<>]*(?:\([^\s()<>]*\)[^\s()<>]*){0,4}))(?:\s+"[^"\n]*")?\s*\)/.exec(rest)
    if (match === null) return null
    return { label, href: match[1] ?? match[2] ?? '', end: close + 2 + match[0].length }
  }

  #emphasis(sign: string): void {
    const text = this.#text
    let left = run(text, this.#at, sign)
    const [before, after] = [text[this.#at - 1] ?? ' ', text[this.#at + left] ?? ' ']
    const opens = !SPACE.test(after) && (sign !== '_' || !WORD.test(before))
    const closes = !SPACE.test(before) && (sign !== '_' || !WORD.test(after))
    this.#flush()
    this.#at += left
    while (left > 0) {
      const size = closes ? this.#closable(sign, left) : 0
      if (size > 0) {
        this.#close(sign.repeat(size))
        left -= size
      } else if (opens && this.#open.length < NESTED && (sign !== '~' || left >= 2)) {
        const size = left >= 2 ? 2 : 1
        this.#open.push({ sign: sign.repeat(size), type: sign === '~' ? 'del' : size === 2 ? 'strong' : 'em', children: [] })
        left -= size
      } else {
        this.#plain += sign.repeat(left)
        left = 0
      }
    }
  }

  /** How many of `left` signs close what is open, the innermost first. */
  #closable(sign: string, left: number): number {
    const open = this.#open.findLast((one) => one.sign[0] === sign && one.sign.length <= left && one.children.length > 0)
    return open?.sign.length ?? 0
  }

  #close(sign: string): void {
    const index = this.#open.findLastIndex((one) => one.sign === sign && one.children.length > 0)
    const [open, ...unclosed] = this.#open.splice(index) as [Open, ...Open[]]
    for (const one of unclosed) open.children.push({ type: 'text', text: one.sign }, ...one.children)
    this.#into.push({ type: open.type, children: joined(open.children) })
  }
}

/** Where each opening bracket is closed. */
function brackets(text: string): Map<number, number> {
  const result = new Map<number, number>()
  const open: number[] = []
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (character === '\\') at += 1
    else if (character === '[') open.push(at)
    else if (character === ']' && open.length > 0) result.set(open.pop()!, at)
  }
  return result
}

function run(text: string, at: number, sign: string): number {
  let end = at
  while (text[end] === sign) end += 1
  return end - at
}

function joined(nodes: Inline[]): Inline[] {
  const result: Inline[] = []
  for (const node of nodes) {
    const last = result.at(-1)
    if (node.type === 'text' && last?.type === 'text') result[result.length - 1] = { type: 'text', text: last.text + node.text }
    else result.push(node)
  }
  return result
}
