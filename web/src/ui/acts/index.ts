import type { Act, ActContext, Offer } from './act'
import { copy } from './copy'
import { askConfirm, showReaders } from './duties'

/** In the order of the menu. */
const OFFERS: readonly Offer[] = [copy, askConfirm, showReaders]

export function actsOf(context: ActContext): Act[] {
  if (context.message.redacted !== undefined || context.message.kind === 'system') return []
  return OFFERS.map((offer) => offer(context)).filter((act) => act !== null)
}
