import { text } from '../../text/words.svelte'
import { acts } from '../../text/words/acts'
import { overlay } from '../overlay.svelte'
import type { ActContext, Offer } from './act'

/** docs/protocol.md, section 4: one's own, within a day of sending. */
const CANCEL_WITHIN = 24 * 3_600_000

const ask = ({ client, message }: ActContext, how: 'cancelled' | 'redacted') =>
  overlay.open(() => import('./RemoveDialog.svelte'), { client, message, how })

export const cancel: Offer = (context) =>
  context.message.author.id !== context.client.user || Date.now() - context.message.at > CANCEL_WITHIN
    ? null
    : { key: 'cancel', label: text.of(acts).cancel, danger: true, run: () => ask(context, 'cancelled') }

/** Once it cannot be cancelled any more; an owner may remove what others wrote. */
export const redact: Offer = (context) => {
  const own = context.message.author.id === context.client.user
  if (own ? cancel(context) !== null : context.room.role !== 'owner') return null
  return { key: 'redact', label: text.of(acts).redact, danger: true, run: () => ask(context, 'redacted') }
}
