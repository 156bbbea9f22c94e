import type { NoteBlock, NoteId } from '../protocol/noteTypes'
import type { Attachment, RoomId, UserId } from '../protocol/types'

/** What somebody was writing in a note, kept on this device until it is saved, thrown away, or the person signs out. */
export interface NoteDraft {
  /** The version that was changed; null for a new note. */
  base: number | null
  title: string
  blocks: NoteBlock[]
  attachments: Attachment[]
  at: number
}

const PREFIX = 'renraku.note.'

/** `note` is null for the one that is being made in this room. */
const keyOf = (user: UserId, room: RoomId, note: NoteId | null) => `${PREFIX}${user}.${note ?? `new ${room}`}`

export function readNoteDraft(user: UserId, room: RoomId, note: NoteId | null): NoteDraft | null {
  try {
    const kept = JSON.parse(localStorage.getItem(keyOf(user, room, note)) ?? 'null') as NoteDraft | null
    return Array.isArray(kept?.blocks) ? kept : null
  } catch {
    return null
  }
}

/** False where this device keeps nothing: the person must be told. */
export function keepNoteDraft(user: UserId, room: RoomId, note: NoteId | null, draft: NoteDraft): boolean {
  try {
    localStorage.setItem(keyOf(user, room, note), JSON.stringify(draft))
    return true
  } catch {
    return false
  }
}

export function dropNoteDraft(user: UserId, room: RoomId, note: NoteId | null): void {
  try {
    localStorage.removeItem(keyOf(user, room, note))
  } catch {
    // Then nothing was kept.
  }
}

export function clearNoteDrafts(user: UserId): void {
  try {
    for (const key of Object.keys(localStorage)) if (key.startsWith(`${PREFIX}${user}.`)) localStorage.removeItem(key)
  } catch {
    // Then nothing was kept.
  }
}
