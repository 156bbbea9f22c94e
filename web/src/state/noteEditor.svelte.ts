import { SvelteMap } from 'svelte/reactivity'
import { newKey } from '../protocol/ids'
import type { NotesApi } from '../protocol/notesApi'
import { NOTE, type Note, type NoteBlock, type NoteId, type PairBlock, type SavedNote } from '../protocol/noteTypes'
import { Problem } from '../protocol/problem'
import type { Attachment, AttachmentId, RoomId, UserId } from '../protocol/types'
import { dropNoteDraft, keepNoteDraft, type NoteDraft } from './noteDrafts'

/** A block while it is edited; `key` stays the same wherever it is moved. */
export interface Edited {
  key: string
  block: NoteBlock
}

const SOON = 400

/** What one makes of a note: its own copy, which nothing that others do touches until it is saved. */
export class NoteEditor {
  title = $state('')
  blocks = $state.raw<readonly Edited[]>([])
  base = $state.raw<number | null>(null)
  saving = $state(false)
  /** What was taken out last, to put it back. */
  removed = $state.raw<{ edited: Edited; index: number } | null>(null)
  /** False once this device refused to keep the draft. */
  kept = $state(true)
  /** Raised with each change by the person. */
  #changes = $state(0)
  readonly changed = $derived(this.#changes > 0)
  readonly attachments = new SvelteMap<AttachmentId, Attachment>()
  readonly user: UserId
  readonly room: RoomId
  readonly id: NoteId | null
  readonly #api: NotesApi
  /** Names this note while it is made: a repetition after a lost answer makes no second one. */
  #key = newKey()
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(user: UserId, room: RoomId, note: Note | null, api: NotesApi, draft: NoteDraft | null = null) {
    this.user = user
    this.room = room
    this.id = note?.id ?? null
    this.#api = api
    const from = draft ?? note
    this.title = from?.title ?? ''
    this.base = draft?.base ?? note?.version ?? null
    this.blocks = (from?.blocks ?? [{ type: 'markdown' as const, text: '' }]).map((block) => ({ key: newKey(), block }))
    for (const attachment of [...(note?.attachments ?? []), ...(draft?.attachments ?? [])]) {
      this.attachments.set(attachment.id, attachment)
    }
    if (draft !== null) this.#changes = 1
  }

  /** Photos that the note shows, in its order: what pairs are made of. */
  get photos(): Attachment[] {
    const ids = this.blocks.flatMap(({ block }) => idsOf(block))
    return [...new Set(ids)].flatMap((id) => {
      const one = this.attachments.get(id)
      return one?.kind === 'photo' && one.state === 'ready' ? [one] : []
    })
  }

  get characters(): number {
    return this.blocks.reduce((sum, { block }) => sum + charactersOf(block), 0)
  }

  rename(title: string): void {
    this.title = title
    this.#touched()
  }

  change(key: string, block: NoteBlock): void {
    this.blocks = this.blocks.map((one) => (one.key === key ? { key, block } : one))
    this.#touched()
  }

  /** Answers the key of what was added. */
  add(index: number, block: NoteBlock): string {
    const key = newKey()
    this.blocks = this.blocks.toSpliced(index, 0, { key, block })
    this.#touched()
    return key
  }

  /** Photos or files, in as many blocks as they need. */
  attach(index: number, kind: 'photos' | 'files', attachments: Attachment[]): void {
    for (const one of attachments) this.attachments.set(one.id, one)
    const ids = attachments.map(({ id }) => id)
    const most = kind === 'photos' ? NOTE.photos : NOTE.files
    for (let from = 0, at = index; from < ids.length; from += most, at += 1) {
      this.add(at, { type: kind, ids: ids.slice(from, from + most) })
    }
  }

  pair(key: string, side: 'before' | 'after', attachment: Attachment): void {
    this.attachments.set(attachment.id, attachment)
    const one = this.blocks.find((edited) => edited.key === key)?.block
    if (one?.type === 'pair') this.change(key, { ...one, [side]: attachment.id })
  }

  /** Answers where it is now, from 1; 0 if it could not be moved. */
  move(key: string, step: -1 | 1): number {
    const from = this.blocks.findIndex((one) => one.key === key)
    const to = from + step
    if (from < 0 || to < 0 || to >= this.blocks.length) return 0
    this.blocks = this.blocks.toSpliced(from, 1).toSpliced(to, 0, this.blocks[from]!)
    this.#touched()
    return to + 1
  }

  remove(key: string): void {
    const index = this.blocks.findIndex((one) => one.key === key)
    const edited = this.blocks[index]
    if (edited === undefined) return
    this.removed = { edited, index }
    this.blocks = this.blocks.toSpliced(index, 1)
    this.#touched()
  }

  putBack(): void {
    if (this.removed === null) return
    this.blocks = this.blocks.toSpliced(this.removed.index, 0, this.removed.edited)
    this.removed = null
    this.#touched()
  }

  /** The first block that cannot be saved as it is: a pair without photos. */
  get incomplete(): Edited | undefined {
    return this.blocks.find(({ block }) => block.type === 'pair' && block.before === null && block.after === null)
  }

  /** Rejects with `Problem`, `Unreachable` or `Unintelligible`; what was written stays. */
  async save(): Promise<SavedNote> {
    this.saving = true
    this.keep()
    try {
      const content = { title: this.title.trim(), blocks: this.content() }
      const saved =
        this.id === null || this.base === null
          ? await this.#api.create(this.room, this.#key, content)
          : await this.#api.change(this.id, this.base, content)
      this.drop()
      return saved
    } catch (error) {
      // The key belongs to what was sent with it: what is changed now is another request.
      if (error instanceof Problem) this.#key = newKey()
      throw error
    } finally {
      this.saving = false
    }
  }

  content(): NoteBlock[] {
    return this.blocks.map(({ block }) => block).filter((block) => block.type !== 'markdown' || block.text.trim() !== '')
  }

  /** Writes the draft to this device, if there is anything to keep. */
  keep(): void {
    this.stop()
    if (!this.changed) return
    const { base, title } = this
    const blocks = this.blocks.map(({ block }) => block)
    const attachments = [...this.attachments.values()]
    this.kept = keepNoteDraft(this.user, this.room, this.id, { base, title, blocks, attachments, at: Date.now() })
  }

  /** Nothing more is kept: it was saved, thrown away, or its writer signed out. */
  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  drop(): void {
    this.stop()
    this.#changes = 0
    dropNoteDraft(this.user, this.room, this.id)
  }

  #touched(): void {
    this.#changes += 1
    this.#timer ??= setTimeout(() => this.keep(), SOON)
    if (this.id === null && !this.saving) this.#key = newKey()
  }
}

export function idsOf(block: NoteBlock): AttachmentId[] {
  if (block.type === 'pair') return [block.before, block.after].filter((id) => id !== null)
  return block.type === 'markdown' ? [] : block.ids
}

export function emptyPair(): PairBlock {
  return { type: 'pair', before: null, after: null, before_caption: '', after_caption: '' }
}

function charactersOf(block: NoteBlock): number {
  switch (block.type) {
    case 'markdown':
    case 'entry':
      return [...block.text].length
    case 'pair':
      return [...block.before_caption, ...block.after_caption].length
    default:
      return 0
  }
}
