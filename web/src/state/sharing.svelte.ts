import type { RoomId } from '../protocol/types'
import { batches } from '../text/captions'
import { uncalled } from '../text/mentions'
import { size } from '../text/sizes'
import { sharing } from '../text/words/sharing'
import { text } from '../text/words.svelte'
import type { Client } from './client.svelte'
import { Draft, isPhoto, photoName } from './drafts.svelte'
import { forgetShared, readShared } from './shared'

/** What another app gave, until it is in the queue of a room. */
export class Sharing {
  status = $state<'reading' | 'ready' | 'sending'>('reading')
  words = $state('')
  photos = $state.raw<readonly File[]>([])
  files = $state.raw<readonly File[]>([])
  /** What cannot be sent, and why. */
  notice = $state('')
  readonly empty = $derived(this.words.trim() === '' && this.photos.length === 0 && this.files.length === 0)

  async read(): Promise<void> {
    try {
      const { words, files } = await readShared()
      this.words = words
      this.photos = files.filter(isPhoto)
      this.files = files.filter((file) => !isPhoto(file))
    } catch {
      // Nothing can be kept here, so nothing was given.
    }
    this.status = 'ready'
  }

  remove(file: File): void {
    this.photos = this.photos.filter((other) => other !== file)
    this.files = this.files.filter((other) => other !== file)
  }

  /** True when all of it is in the queue; what was given is forgotten only then. */
  async send(client: Client, room: RoomId): Promise<boolean> {
    const { limits } = client
    const words = text.of(sharing)
    const photos = this.photos.map((blob) => ({ name: photoName(blob), blob, caption: '', mark: '' }))
    const large = [
      ...this.photos.filter((file) => file.size > limits.photo_bytes).map((file) => ({ file, limit: limits.photo_bytes })),
      ...this.files.filter((file) => file.size > (limits.file_bytes ?? Infinity)).map((file) => ({ file, limit: limits.file_bytes! })),
    ][0]
    if (large !== undefined) {
      this.notice = words.tooLarge(large.file.name, size(large.limit, text.language))
      return false
    }
    this.status = 'sending'
    this.notice = ''
    // Files first, by way of a draft: they go up by themselves while the words wait for them.
    const draft = new Draft()
    await client.files.attach(room, draft, this.files, limits)
    if (draft.notice !== '') {
      this.notice = draft.notice
      for (const { key } of draft.files) client.files.detach(draft, key)
      this.status = 'ready'
      return false
    }
    const files = draft.files.map(({ key, name, size }) => ({ key, name, size }))
    const all = batches(photos, this.words, limits.photos)
    for (const [index, batch] of all.entries()) {
      const sent = batch.photos.map(({ name, blob }) => ({ name, blob }))
      await client.post({ room, text: uncalled(batch.text), photos: sent, ...(index === 0 ? { files } : {}) })
    }
    await forgetShared()
    return true
  }

  async throwAway(): Promise<void> {
    await forgetShared()
    this.words = ''
    this.photos = []
    this.files = []
  }
}
