/** A room's notes as they travel: docs/protocol.md, section 10. */

import type { Attachment, AttachmentId, Author, FilesBlock, MessageId, PhotosBlock, RoomId } from './types'

export type NoteId = string

export interface NoteHead {
  id: NoteId
  room: RoomId
  title: string
  version: number
  created: number
  created_by: Author
  updated: number
  updated_by: Author
  deleted: number | null
}

export interface MarkdownBlock {
  type: 'markdown'
  v?: number
  text: string
}

/** A message that was taken over: what it says is the server's record, and is moved or left out by its `id` alone. */
export interface EntryBlock {
  type: 'entry'
  v?: number
  id: string
  message: MessageId
  seq: number
  at: number
  author: Author
  text: string
  ids: AttachmentId[]
  taken: number
  forward?: { author: string; department: string; at: number }
  edited?: number
  redacted?: number
  struck?: number
}

export interface PairBlock {
  type: 'pair'
  v?: number
  before: AttachmentId | null
  after: AttachmentId | null
  before_caption: string
  after_caption: string
}

export type NoteBlock = MarkdownBlock | EntryBlock | PairBlock | PhotosBlock | FilesBlock

export type NoteWhat = 'created' | 'changed' | 'deleted' | 'restored' | 'struck'

export interface Note extends NoteHead {
  what: NoteWhat
  conflict: boolean
  blocks: NoteBlock[]
  attachments: Attachment[]
  can: { change: boolean; delete: boolean }
}

export interface NoteVersion {
  version: number
  what: NoteWhat
  at: number
  author: Author
  title: string
  base: number | null
  conflict: boolean
}

export interface SavedNote {
  room: RoomId
  id: NoteId
  version: number
  /** Absent where the change was none. */
  seq?: number
  at?: number
  merged?: boolean
  conflict?: boolean
}

export interface NoteContent {
  title: string
  blocks: NoteBlock[]
}

/** The bounds of one note, of one block, and of what is taken over at once. */
export const NOTE = { title: 100, caption: 200, characters: 100_000, blocks: 200, photos: 10, files: 20, messages: 50 }
