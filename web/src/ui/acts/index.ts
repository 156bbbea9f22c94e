import type { Act, ActContext, Offer } from './act'
import { copy } from './copy'
import { forwardOn, selectionToMemo, toMemo } from './memo'

/** In the order of the menu. */
const OFFERS: readonly Offer[] = [copy, selectionToMemo, toMemo, forwardOn]

export function actsOf(context: ActContext): Act[] {
  if (context.message.redacted !== undefined || context.message.kind === 'system') return []
  return OFFERS.map((offer) => offer(context)).filter((act) => act !== null)
}
