import { messageLink } from '../../state/route.svelte'
import { notice } from '../../state/notice.svelte'
import { text } from '../../text/words.svelte'
import { acts } from '../../text/words/acts'
import type { Offer } from './act'

export const copy: Offer = ({ message }) =>
  message.text === undefined || message.text === ''
    ? null
    : { key: 'copy', label: text.of(acts).copy, run: () => void put(message.text ?? '', text.of(acts).copied) }

export const link: Offer = ({ room, message }) => ({
  key: 'link',
  label: text.of(acts).link,
  run: () => void put(messageLink(room.id, message.seq), text.of(acts).linkCopied),
})

async function put(what: string, done: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(what)
    notice.tell(done)
  } catch {
    // Without TLS, or where the browser forbids it, there is no clipboard for pages.
    notice.tell(text.of(acts).notCopied, true)
  }
}
