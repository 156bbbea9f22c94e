import type { MessageId, RoomId, UserId } from '../protocol/types'
import type { Labels } from '../text/mentions'

/** Of a draft, what outlives the page: photos and files have stores of their own. */
export interface KeptDraft {
  text: string
  labels: Labels
  quote: MessageId | null
  /** Until when it is to ask everybody to confirm it. */
  confirm?: number | null
}

const PREFIX = 'renraku.draft.'

/** Drafts on this device, by person and room. A browser that keeps nothing loses them with the page, and no more. */
export const draftStore = {
  get(user: UserId, room: RoomId): KeptDraft | null {
    try {
      const kept: unknown = JSON.parse(localStorage.getItem(key(user, room)) ?? 'null')
      return isKept(kept) ? kept : null
    } catch {
      return null
    }
  },

  put(user: UserId, room: RoomId, draft: KeptDraft): void {
    try {
      if (draft.text === '' && draft.quote === null) localStorage.removeItem(key(user, room))
      else localStorage.setItem(key(user, room), JSON.stringify(draft))
    } catch {
      // See above.
    }
  },

  /** A shared computer: what another person left is not there for the next one. */
  keepOnly(user: UserId): void {
    remove((one) => !one.startsWith(`${PREFIX}${user}.`))
  },

  clear(user: UserId): void {
    remove((one) => one.startsWith(`${PREFIX}${user}.`))
  },
}

const key = (user: UserId, room: RoomId): string => `${PREFIX}${user}.${room}`

function remove(wanted: (key: string) => boolean): void {
  try {
    const all = Object.keys(localStorage).filter((one) => one.startsWith(PREFIX))
    for (const one of all.filter(wanted)) localStorage.removeItem(one)
  } catch {
    // See above.
  }
}

function isKept(value: unknown): value is KeptDraft {
  const { text, labels, quote } = (value ?? {}) as Partial<KeptDraft>
  return typeof text === 'string' && typeof labels === 'object' && labels !== null && (quote === null || typeof quote === 'string')
}
