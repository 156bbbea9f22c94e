import type { Limits, RoomId } from '../protocol/types'
import { size } from '../text/sizes'
import { text } from '../text/words.svelte'

export interface DraftPhoto {
  name: string
  blob: Blob
  /** For the preview on this page. */
  url: string
}

export interface DraftFile {
  key: string
  name: string
  size: number
}

/** What is being written in one room. Only in memory: a shared computer must not keep it. */
export class Draft {
  text = $state('')
  photos = $state.raw<readonly DraftPhoto[]>([])
  /** Files, which go up while one writes, in their order. */
  files = $state.raw<readonly DraftFile[]>([])
  /** Files that were picked and are still looked at: what is sent now must not go without them. */
  arriving = $state(0)
  /** Why something that was picked is not here. */
  notice = $state('')
  readonly empty = $derived(
    this.text.trim() === '' && this.photos.length === 0 && this.files.length === 0 && this.arriving === 0,
  )

  /** Photos go on as photos, whatever else is a file: those that are no photos are answered. */
  add(picked: Iterable<File>, limits: Limits): File[] {
    this.notice = ''
    const words = text.words.composer
    const photos = [...this.photos]
    const files: File[] = []
    for (const file of picked) {
      if (isPhoto(file) && file.size <= limits.photo_bytes) {
        if (photos.length >= limits.photos) this.notice = words.tooMany(limits.photos)
        else photos.push({ name: photoName(file), blob: file, url: URL.createObjectURL(file) })
      } else if (limits.files === undefined) {
        this.notice = words.noFiles(file.name)
      } else if (limits.file_bytes !== undefined && file.size > limits.file_bytes) {
        this.notice = words.tooLarge(file.name, size(limits.file_bytes, text.language))
      } else if (this.files.length + files.length >= limits.files) {
        this.notice = words.tooManyFiles(limits.files)
      } else {
        files.push(file)
      }
    }
    this.photos = photos
    return files
  }

  addFile(file: DraftFile): void {
    if (!this.files.some(({ key }) => key === file.key)) this.files = [...this.files, file]
  }

  removeFile(key: string): void {
    this.files = this.files.filter((file) => file.key !== key)
    this.notice = ''
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
    this.files = []
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

/** Nothing but photos, and more of them than one message takes. */
export function manyPhotos(picked: FileList | null, limit: number): boolean {
  return picked !== null && picked.length > limit && [...picked].every(isPhoto)
}

/** Browsers on office computers give HEIC no type. The server decides by the content in any case. */
export function isPhoto(file: File): boolean {
  return /^image\/(jpeg|png|webp|gif|hei[cf])$/.test(file.type) || /\.(jpe?g|png|webp|gif|hei[cf])$/i.test(file.name)
}

/** macOS hands over file names in decomposed form, in which が is two characters. */
export function photoName(file: File): string {
  return file.name.normalize('NFC')
}
