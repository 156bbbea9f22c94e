import type { Act, ActContext, Offer } from './act'
import { author } from './author'
import { copy } from './copy'

/** In the order of the menu. */
const OFFERS: readonly Offer[] = [copy, author]

export function actsOf(context: ActContext): Act[] {
  if (context.message.redacted !== undefined || context.message.kind === 'system') return []
  return OFFERS.map((offer) => offer(context)).filter((act) => act !== null)
}
