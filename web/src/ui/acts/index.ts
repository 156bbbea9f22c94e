import type { Act, ActContext, Offer } from './act'
import { author } from './author'
import { bookmark } from './bookmark'
import { copy, link } from './copy'
import { askConfirm, showReaders } from './duties'
import { edit } from './edit'
import { intoNote } from './intoNote'
import { forwardOn, selectionToMemo, toMemo } from './memo'
import { pin } from './pin'
import { react } from './react'
import { cancel, redact } from './remove'
import { reply } from './reply'
import { savePhotos } from './savePhotos'

/** In the order of the menu. */
const OFFERS: readonly Offer[] = [
  reply, react, edit, askConfirm, showReaders, copy, selectionToMemo, link, toMemo, forwardOn, intoNote, savePhotos, pin, bookmark, author,
  cancel, redact,
]

export function actsOf(context: ActContext): Act[] {
  if (context.message.redacted !== undefined || context.message.kind === 'system') return []
  return OFFERS.map((offer) => offer(context)).filter((act) => act !== null)
}
