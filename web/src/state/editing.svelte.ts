import type { Api } from '../protocol/api'
import { Problem } from '../protocol/problem'
import type { Ack, Block, Change, Message, TextBlock, UnknownBlock } from '../protocol/types'

const CONFLICT = 4005
const KNOWN = new Set(['text', 'photos', 'files'])

type Request = (command: Change & { op: 'edit' }) => Promise<Ack>

/** A message that its author is changing, and what was being written in the field before. */
export class Editing {
  /** Somebody, on another device, was faster: what the message says now. Both texts stay until the author decides. */
  theirs = $state.raw<Message | null>(null)
  saving = $state(false)
  problem = $state.raw<Problem | 'unreachable' | null>(null)
  readonly message: Message
  readonly aside: { text: string; mentions: Readonly<Record<string, string>> }
  #version: number

  constructor(message: Message, aside: Editing['aside']) {
    this.message = message
    this.aside = aside
    this.#version = message.version ?? 1
  }

  /** True when the message says `words` now. */
  async save(words: string, request: Request, api: Pick<Api, 'message'>): Promise<boolean> {
    this.saving = true
    this.problem = null
    try {
      await request({ op: 'edit', message: this.message.id, version: this.#version, blocks: edited(this.message, words) })
      return true
    } catch (error) {
      if (error instanceof Problem && error.code === CONFLICT) return await this.#compare(words, api)
      this.problem = error instanceof Problem ? error : 'unreachable'
      return false
    } finally {
      this.saving = false
    }
  }

  async #compare(words: string, api: Pick<Api, 'message'>): Promise<boolean> {
    try {
      const { message } = await api.message(this.message.id)
      // An answer that was lost: it was this very text that arrived.
      if (message.redacted === undefined && textOf(message) === words) return true
      this.theirs = message
      this.#version = message.version ?? this.#version
    } catch (error) {
      this.problem = error instanceof Problem ? error : 'unreachable'
    }
    return false
  }
}

/** The words as they were written, mentions as they travel. */
export function textOf(message: Message): string {
  return texts(message)[0]?.text ?? ''
}

/** One's own words alone, and only what this page can show as a whole in its field. */
export function isEditable(message: Message, me: string): boolean {
  return (
    message.author.id === me &&
    message.kind !== 'system' &&
    message.redacted === undefined &&
    message.forward === undefined &&
    (message.blocks ?? []).every(({ type, v }) => KNOWN.has(type) && (v ?? 1) === 1) &&
    texts(message).length <= 1
  )
}

/** The blocks with other words; photos and files stay as they are. */
export function edited(message: Message, words: string): (Block | UnknownBlock)[] {
  const blocks = message.blocks ?? []
  const said: Block[] = words === '' ? [] : [{ type: 'text', text: words }]
  const index = blocks.findIndex(({ type }) => type === 'text')
  return index < 0 ? [...said, ...blocks] : blocks.toSpliced(index, 1, ...said)
}

function texts({ blocks = [] }: Message): TextBlock[] {
  return blocks.filter((block): block is TextBlock => block.type === 'text' && 'text' in block)
}
