/** A message between being written and being acknowledged, as the device keeps it. */

import type { Attachment, Block, Level, MessageId, RoomId, UserId } from './types'

export interface PendingPhoto {
  /** Idempotency-Key of its upload. */
  key: string
  name: string
  blob: Blob
  /** Once uploaded. The message must then always name this one: its content may not change between repetitions. */
  attachment?: Attachment
}

/** A file of the message; its bytes and how far they are is the business of `Transfers`. */
export interface PendingFile {
  key: string
  name: string
  size: number
  attachment?: Attachment
}

/** What is asked for with a message. */
export interface Wishes {
  /** Until when everybody is asked to confirm it. */
  confirm?: number
  level?: Level
  /** When the server is to send it, instead of now. */
  at?: number
}

/** A message that the server has not acknowledged. */
export interface Pending extends Wishes {
  client_msg_id: string
  user: UserId
  room: RoomId
  /** Milliseconds, strictly rising in a tab: the order within the room. */
  order: number
  text: string
  /** As it stood in the field, where that reads otherwise: names in place of ids. */
  shown?: string
  photos: PendingPhoto[]
  files?: PendingFile[]
  quote?: MessageId
  /** The tab that sends it. */
  tab: string
  /** The server refused it: the person decides what becomes of it. `photo`: the key of the one it was about. */
  problem?: { code: number; ja: string; en: string; photo?: string; field?: string }
}

export type Phase =
  | { name: 'waiting' }
  /** The line or the server failed; it goes on by itself. */
  | { name: 'retrying' }
  /** Its files are on their way; other messages need not wait for them. */
  | { name: 'files' }
  | { name: 'uploading'; photo: number; sent: number; total: number }
  | { name: 'sending' }
  | { name: 'failed' }

export interface Draft extends Wishes {
  room: RoomId
  text: string
  shown?: string
  photos: { name: string; blob: Blob }[]
  files?: { key: string; name: string; size: number }[]
  quote?: MessageId
}

/** Where unacknowledged messages survive the closing of the page. */
export interface SendStore {
  all(): Promise<Pending[]>
  put(item: Pending): Promise<void>
  remove(id: string): Promise<void>
  /** Takes the item over from a tab that is gone; false when another tab was faster. */
  adopt(id: string, from: string, to: string): Promise<boolean>
  clear(): Promise<void>
}

export function needsFiles({ files = [] }: Pending): boolean {
  return files.some(({ attachment }) => attachment === undefined)
}

export function wishes({ confirm, level, at }: Wishes): Wishes {
  return {
    ...(confirm === undefined ? {} : { confirm }),
    ...(level === undefined ? {} : { level }),
    ...(at === undefined ? {} : { at }),
  }
}

export function isEmpty({ text, photos, files = [] }: Pending): boolean {
  return text === '' && photos.length === 0 && files.length === 0
}

export function blocks(item: Pending): Block[] {
  const result: Block[] = []
  if (item.text !== '') result.push({ type: 'text', text: item.text })
  const ids = item.photos.flatMap(({ attachment }) => (attachment === undefined ? [] : [attachment.id]))
  if (ids.length > 0) result.push({ type: 'photos', ids })
  const files = (item.files ?? []).flatMap(({ attachment }) => (attachment === undefined ? [] : [attachment.id]))
  if (files.length > 0) result.push({ type: 'files', ids: files })
  return result
}
