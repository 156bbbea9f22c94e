import type { RoomId } from '../protocol/types'
import { text } from '../text/words.svelte'

export interface DraftPhoto {
  name: string
  blob: Blob
  /** For the preview on this page. */
  url: string
}

/** What is being written in one room. Only in memory: a shared computer must not keep it. */
export class Draft {
  text = $state('')
  photos = $state.raw<readonly DraftPhoto[]>([])
  /** Why something that was picked is not here. */
  notice = $state('')
  readonly empty = $derived(this.text.trim() === '' && this.photos.length === 0)

  add(files: Iterable<File>, limit: number, bytes: number): void {
    this.notice = ''
    const photos = [...this.photos]
    for (const file of files) {
      if (!isPhoto(file)) this.notice = text.words.composer.notPhoto(file.name)
      else if (file.size > bytes) this.notice = text.words.composer.tooLarge(file.name, Math.floor(bytes / 2 ** 20))
      else if (photos.length >= limit) this.notice = text.words.composer.tooMany(limit)
      else photos.push({ name: photoName(file), blob: file, url: URL.createObjectURL(file) })
    }
    this.photos = photos
  }

  removePhoto(photo: DraftPhoto): void {
    URL.revokeObjectURL(photo.url)
    this.photos = this.photos.filter((other) => other !== photo)
    this.notice = ''
  }

  clear(): void {
    for (const { url } of this.photos) URL.revokeObjectURL(url)
    this.text = ''
    this.photos = []
    this.notice = ''
  }
}

export class Drafts {
  /** No reactive map: a draft is made while the page is being drawn, and changes by itself afterwards. */
  #drafts = new Map<RoomId, Draft>()

  of(room: RoomId): Draft {
    let draft = this.#drafts.get(room)
    if (draft === undefined) this.#drafts.set(room, (draft = new Draft()))
    return draft
  }

  clear(): void {
    for (const draft of this.#drafts.values()) draft.clear()
    this.#drafts.clear()
  }
}

/** Browsers on office computers give HEIC no type. The server decides by the content in any case. */
function isPhoto(file: File): boolean {
  return /^image\/(jpeg|png|webp|gif|hei[cf])$/.test(file.type) || /\.(jpe?g|png|webp|gif|hei[cf])$/i.test(file.name)
}

/** macOS hands over file names in decomposed form, in which が is two characters. */
function photoName(file: File): string {
  return file.name.normalize('NFC')
}
