import type { Calls } from './roomsApi'
import type { AttachmentId, MessageId, Paged, RoomId, TakeoutState, UserId } from './types'

/** What became of what one asked for on this device. `until`: when that ends. `words`: of `approver`, who decided. */
export interface AskedTakeout {
  state: TakeoutState
  until: number | null
  words: string
  approver: string | null
}

/**
 * Somebody wants to save a file in a less trusted network. `own`: one asked oneself, and somebody else decides. `here`: whether it can be
 * decided in this network. `from`, `to`: zones. `message`: null where the file is in a note.
 */
export interface Takeout {
  id: string
  state: TakeoutState
  attachment: AttachmentId
  name: string
  kind: string
  size: number
  room: { id: RoomId; name: string }
  message: MessageId | null
  user: { id: UserId; name: string }
  own: boolean
  here: boolean
  from: string
  to: string
  reason: string
  asked: number
  expires: number
  decided: number | null
  approver: string | null
  words: string
}

const of = (file: AttachmentId) => `/api/attachments/${encodeURIComponent(file)}/takeout`

/** Files that leave for a less trusted network with a second person's approval. */
export const takeoutsApi = (api: Calls) => ({
  state: (file: AttachmentId): Promise<AskedTakeout> => api.call(of(file)),
  ask: (file: AttachmentId, reason: string): Promise<AskedTakeout> => api.call(of(file), { method: 'POST', body: { reason } }),
  /** What one may decide about, and one's own among it; the oldest first. */
  waiting: (): Promise<Paged<Takeout>> => api.call('/api/takeouts'),
  decide: (takeout: string, approve: boolean, reason: string): Promise<Takeout> =>
    api.call(`/api/takeouts/${encodeURIComponent(takeout)}/${approve ? 'approve' : 'refuse'}`, { method: 'POST', body: { reason } }),
})
