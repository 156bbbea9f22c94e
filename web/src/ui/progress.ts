import type { Files } from '../state/files.svelte'
import type { Waiting } from '../state/sending.svelte'
import { text } from '../text/words.svelte'

/** How far a message is on its way, in words; nothing where the server refused it, which has words of its own. */
export function progress({ item, phase }: Waiting, transfers: Files): string {
  const words = text.words.sending
  const { photos, files = [] } = item
  switch (phase.name) {
    case 'waiting':
      return words.waiting
    case 'retrying':
      return words.retrying(photos.length)
    case 'files':
      return words.files(files.filter(({ key }) => (transfers.get(key)?.state ?? 'ready') === 'ready').length, files.length)
    case 'sending':
      return words.sending
    case 'sent':
      return words.sent
    case 'failed':
      return ''
    case 'uploading': {
      const percent = phase.total === 0 ? 0 : Math.floor((100 * phase.sent) / phase.total)
      return percent >= 100 ? words.preparing(phase.photo, photos.length) : words.uploading(phase.photo, photos.length, percent)
    }
  }
}
