import { notice } from '../../state/notice.svelte'
import { text } from '../../text/words.svelte'
import { acts } from '../../text/words/acts'
import type { Offer } from './act'

/** All photos of a message onto this device, one after another: a browser keeps back what comes at once. */
export const savePhotos: Offer = ({ client, message }) => {
  const photos = (message.attachments ?? []).filter(({ kind, state }) => kind === 'photo' && state === 'ready')
  if (photos.length === 0) return null
  return {
    key: 'save-photos',
    label: text.of(acts).savePhotos(photos.length),
    run: async () => {
      const words = text.of(acts)
      let failed = 0
      for (const photo of photos) {
        await client.opening.save(photo)
        if (client.opening.said(photo.id) !== '') failed += 1
      }
      notice.tell(failed === 0 ? words.savedPhotos(photos.length) : words.unsavedPhotos(failed), failed > 0)
    },
  }
}
