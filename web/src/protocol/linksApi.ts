import type { Calls } from './roomsApi'
import type { AttachmentId, Paged, RoomId, UserId } from './types'

export const FAMILIES = ['photos', 'documents', 'drawings', 'films', 'archives', 'mail'] as const
export type Family = (typeof FAMILIES)[number]

/** What somebody outside is asked for. Empty `kinds`: all. */
export interface NewLink {
  recipient: string
  company: string
  email: string
  purpose: string
  expected: string
  most_files: number
  most_bytes: number
  kinds: Family[]
  told: UserId[]
  once: boolean
  ends: number
  pin: string | null
}

export type LinkState = 'new' | 'open' | 'opened' | 'received' | 'done' | 'expired' | 'revoked'

export interface UploadLink extends Omit<NewLink, 'pin'> {
  id: string
  room: RoomId
  state: LinkState
  /** It has an address that is good. */
  given: boolean
  asker: { id: UserId; name: string }
  pin: boolean
  pin_misses: number
  at: number
  opened: number | null
  done: number | null
  revoked: number | null
  received_files: number
  received_bytes: number
}

export interface FileOfLink {
  id: string
  name: string
  size: number
  state: 'coming' | 'waiting' | 'held' | 'released' | 'refused'
  sha256: string | null
  received: number | null
  reason: { ja: string; en: string } | null
  instead: { ja: string; en: string } | null
  attachment: AttachmentId | null
}

export const LINK_LIVES = 30 * 24 * 60 * 60_000
export const LINK_FILES = 100
export const LINK_BYTES = 5 * 2 ** 30

const ofRoom = (room: RoomId) => `/api/rooms/${encodeURIComponent(room)}/upload-links`
const at = (link: string, rest = '') => `/api/upload-links/${encodeURIComponent(link)}${rest}`

/** Links by which people outside hand in files. */
export const linksApi = (api: Calls) => ({
  ask: (room: RoomId, link: NewLink): Promise<UploadLink> => api.call(ofRoom(room), { method: 'POST', body: link }),
  of: (room: RoomId): Promise<Paged<UploadLink>> => api.call(ofRoom(room)),
  one: (link: string): Promise<UploadLink & { files: FileOfLink[] }> => api.call(at(link)),
  /** The address before is good no more. */
  address: (link: string): Promise<UploadLink & { token: string | null; page: string }> => api.call(at(link, '/address'), { method: 'POST' }),
  extend: (link: string, ends: number): Promise<UploadLink> => api.call(at(link), { method: 'PATCH', body: { ends } }),
  close: (link: string): Promise<UploadLink> => api.call(at(link), { method: 'PATCH', body: { done: true } }),
  revoke: (link: string): Promise<UploadLink> => api.call(at(link), { method: 'DELETE' }),
  again: (link: string, ends: number): Promise<UploadLink> => api.call(at(link, '/again'), { method: 'POST', body: { ends } }),
})
