import type { Wishes } from '../protocol/pending'
import type { Level, Limits, Message, MessageId, RoomId, UserId } from '../protocol/types'
import { read } from '../text/calls'
import { batches } from '../text/captions'
import { type Labels, travelling } from '../text/mentions'
import { size } from '../text/sizes'
import { text } from '../text/words.svelte'
import { duties } from '../text/words/duties'
import { draftStore, type KeptDraft } from './draftStore'
import { Editing, textOf } from './editing.svelte'
import { lasting } from './lasting.svelte'

export interface DraftPhoto {
  name: string
  blob: Blob
  /** For the preview on this page. */
  url: string
  /** Travels in the text, by number. */
  caption?: string
}

export interface DraftFile {
  key: string
  name: string
  size: number
}

/** What is being written in one room. Its words stay on this device until they are sent or the person signs out. */
export class Draft {
  text = $state('')
  /** Names in the text that call somebody. */
  labels = $state.raw<Labels>({})
  /** The message that is answered. */
  quote = $state.raw<MessageId | null>(null)
  /** Set while the field holds the words of a message that was sent. */
  editing = $state.raw<Editing | null>(null)
  photos = $state.raw<readonly DraftPhoto[]>([])
  /** Files, which go up while one writes, in their order. */
  files = $state.raw<readonly DraftFile[]>([])
  /** Files that were picked and are still looked at: what is sent now must not go without them. */
  arriving = $state(0)
  /** Until when everybody is to confirm it. */
  confirm = $state<number | null>(null)
  level = $state<Level>('notice')
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

  /** What goes along with the words. `at`: when to send it. */
  wishes(at?: number): Wishes {
    return {
      ...(this.confirm === null ? {} : { confirm: this.confirm }),
      // The lowest is what the server takes where none is named, and other rooms have none.
      ...(this.level === 'notice' ? {} : { level: this.level }),
      ...(at === undefined ? {} : { at }),
    }
  }

  /** Why what was asked for cannot be, by now; '' when it can. */
  late(at: number | undefined): string {
    const words = text.of(duties)
    if (this.confirm === null) return ''
    if (at !== undefined && this.confirm <= at) return words.deadlineFirst
    return this.confirm < Date.now() + 60_000 ? words.deadlinePast : ''
  }

  addFile(file: DraftFile): void {
    if (!this.files.some(({ key }) => key === file.key)) this.files = [...this.files, file]
  }

  removeFile(key: string): void {
    this.files = this.files.filter((file) => file.key !== key)
    this.notice = ''
  }

  caption(photo: DraftPhoto, caption: string): void {
    this.photos = this.photos.map((other) => (other.url === photo.url ? { ...other, caption } : other))
  }

  /** To stand where another one stands now. */
  movePhoto(from: number, to: number): void {
    const photo = this.photos[from]
    if (photo === undefined || to < 0 || to >= this.photos.length) return
    this.photos = this.photos.toSpliced(from, 1).toSpliced(to, 0, photo)
  }

  removePhoto(photo: DraftPhoto): void {
    URL.revokeObjectURL(photo.url)
    this.photos = this.photos.filter((other) => other !== photo)
    this.notice = ''
  }

  /** The text as it travels. */
  get words(): string {
    return travelling(this.text.replace(/^\n+|\s+$/g, ''), this.labels)
  }

  /** With the captions of its photos: as it travels, and as it is read until then. */
  get said(): { text: string; shown: string } {
    return { text: this.#captioned(this.words), shown: this.#captioned(this.text.trim()) }
  }

  edit(message: Message): void {
    this.leaveEditing()
    this.editing = new Editing(message, { text: this.text, mentions: this.labels })
    this.#read(message)
  }

  /** The words of the other device instead of those in the field. */
  takeTheirs(): void {
    if (this.editing?.theirs) this.#read(this.editing.theirs)
  }

  /** Back to what was being written before. */
  leaveEditing(): void {
    if (this.editing === null) return
    this.text = this.editing.aside.text
    this.labels = this.editing.aside.mentions
    this.editing = null
    this.notice = ''
  }

  /** What of it outlives the page. */
  get kept(): KeptDraft {
    const { text, mentions } = this.editing?.aside ?? { text: this.text, mentions: this.labels }
    return { text, labels: mentions, quote: this.quote, confirm: this.confirm }
  }

  restore({ text, labels, quote, confirm }: KeptDraft): void {
    this.text = text
    this.confirm = confirm ?? null
    this.labels = labels
    this.quote = quote
  }

  #captioned(words: string): string {
    const photos = this.photos.map(({ caption = '' }) => ({ caption, mark: '' }))
    return photos.some(({ caption }) => caption.trim() !== '') ? batches(photos, words, photos.length)[0]!.text : words
  }

  #read(message: Message): void {
    const { text, labels } = read(textOf(message), message.mentions ?? {})
    this.text = text
    this.labels = labels
  }

  clear(): void {
    for (const { url } of this.photos) URL.revokeObjectURL(url)
    this.text = ''
    this.labels = {}
    this.quote = null
    this.editing = null
    this.photos = []
    this.files = []
    this.confirm = null
    this.level = 'notice'
    this.notice = ''
  }
}

export class Drafts {
  readonly #user: UserId
  #stopped = false
  /** No reactive map: a draft is made while the page is being drawn, and changes by itself afterwards. */
  #drafts = new Map<RoomId, Draft>()

  constructor(user: UserId) {
    this.#user = user
    draftStore.keepOnly(user)
  }

  of(room: RoomId): Draft {
    const known = this.#drafts.get(room)
    if (known !== undefined) return known
    const draft = lasting(() => {
      const made = new Draft()
      const kept = draftStore.get(this.#user, room)
      if (kept !== null) made.restore(kept)
      return made
    })
    this.#drafts.set(room, draft)
    return draft
  }

  /** Rooms in which something is being written. */
  get count(): number {
    return [...this.#drafts.values()].filter((draft) => !draft.empty).length
  }

  /** On the device, so that it is there after the page was closed. */
  keep(room: RoomId, draft: KeptDraft): void {
    if (!this.#stopped) draftStore.put(this.#user, room, draft)
  }

  /** The page ends for this person; what is stored stays for their next sign-in, unless they sign out. */
  clear(): void {
    this.#stopped = true
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
