import type { Limits } from './types'

/** What holds until the server has told its own. */
export const LIMITS: Limits = {
  frame_bytes: 65_536,
  depth: 16,
  text_chars: 20_000,
  photos: 10,
  unanswered: 64,
  photo_bytes: 40 * 2 ** 20,
}
