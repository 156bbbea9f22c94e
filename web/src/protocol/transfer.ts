/** One file between being picked and being part of a message. */

import type { Attachment, RoomId, UserId } from './types'

/** A file on its way as the device keeps it. */
export interface StoredFile<Done = Attachment> {
  /** Names it on this device. */
  key: string
  user: UserId
  room: RoomId
  name: string
  size: number
  /** What it looks like from outside: see `printOf`. */
  print: string
  /** The order in which they were attached. */
  order: number
  /** The tab that sends it. */
  tab: string
  /** The bytes of a small one. A large one is picked again after the page was closed, and goes on where it stopped. */
  blob?: Blob
  /** Where it goes, and how far it was. */
  path?: string
  sent?: number
  paused?: boolean
  /** What the server has made of it, once it is whole. */
  attachment?: Done
  problem?: { code: number; ja: string; en: string }
}

export type TransferState =
  | 'waiting'
  | 'moving'
  /** The line or the server failed; it goes on by itself. */
  | 'retrying'
  | 'paused'
  /** The page was closed, or the file was moved or changed: the person must pick it again. */
  | 'missing'
  | 'failed'
  | 'ready'

export interface Transfer {
  key: string
  room: RoomId
  name: string
  size: number
  state: TransferState
  sent: number
  /** Milliseconds; null where nobody can say. */
  left: number | null
  /** Why it failed, or what it waits for. */
  problem: { code: number; ja: string; en: string } | null
  /** Where it goes, once the server knows of it. */
  path: string | null
  /** It survives the closing of the page as it is. */
  kept: boolean
}

export interface FileStore<Done = Attachment> {
  all(): Promise<StoredFile<Done>[]>
  put(file: StoredFile<Done>): Promise<void>
  remove(key: string): Promise<void>
  adopt(key: string, from: string, to: string): Promise<boolean>
  clear(): Promise<void>
}

/** The same while the page lives. */
export interface Item<Done = Attachment> {
  row: StoredFile<Done>
  blob: Blob | null
  state: TransferState
  rate: number
  /** When and where the rate was last measured. */
  at: number
  from: number
  trouble: { code: number; ja: string; en: string } | null
  stop: AbortController | null
  waiters: Set<{ resolve(attachment: Done): void; reject(error: unknown): void }>
}

export function first(row: StoredFile<unknown>, blob: Blob | null): TransferState {
  if (row.attachment !== undefined) return 'ready'
  if (row.problem !== undefined) return 'failed'
  if (row.paused) return 'paused'
  return blob === null ? 'missing' : 'waiting'
}

export function shown({ row, state, rate, trouble }: Item<unknown>): Transfer {
  const sent = row.sent ?? 0
  return {
    key: row.key,
    room: row.room,
    name: row.name,
    size: row.size,
    state,
    sent,
    left: state === 'moving' && rate > 0 ? (row.size - sent) / rate : null,
    problem: row.problem ?? trouble,
    path: row.path ?? null,
    kept: row.blob !== undefined,
  }
}
