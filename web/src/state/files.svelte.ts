import type { Picked } from '../protocol/print'
import type { Transfer } from '../protocol/transfer'
import type { Transfers } from '../protocol/transfers'
import type { Limits, RoomId } from '../protocol/types'
import { text } from '../text/words.svelte'
import type { Draft, Drafts } from './drafts.svelte'

/** The files on their way as the page shows them. */
export class Files {
  #version = $state(0)
  #transfers: Transfers | null = null

  use(transfers: Transfers): void {
    this.#transfers = transfers
    this.changed()
  }

  changed(): void {
    this.#version += 1
  }

  get(key: string): Transfer | undefined {
    return this.#version >= 0 ? this.#transfers?.get(key) : undefined
  }

  /** Whatever was picked, pasted or dropped: photos into the draft, files on their way. */
  async attach(room: RoomId, draft: Draft, picked: Iterable<File>, limits: Limits): Promise<void> {
    const files = draft.add(picked, limits)
    draft.arriving += files.length
    for (const file of files) {
      try {
        const awaited = await this.#transfers?.awaited(room, file)
        if (awaited !== undefined) await this.#transfers?.pick(awaited, file)
        else if (this.#transfers !== null) draft.addFile(await this.#transfers.add(room, file))
      } catch {
        draft.notice = text.words.composer.unreadable(file.name)
      } finally {
        draft.arriving -= 1
      }
    }
  }

  detach(draft: Draft, key: string): void {
    draft.removeFile(key)
    void this.#transfers?.cancel(key)
  }

  /** What an earlier page left and no message names stands in what is being written. */
  restored(files: Transfer[], sent: Set<string>, drafts: Drafts): void {
    for (const file of files) if (!sent.has(file.key)) drafts.of(file.room).addFile(file)
  }

  pause(key: string): void {
    this.#transfers?.pause(key)
  }

  resume(key: string): void {
    this.#transfers?.resume(key)
  }

  again(key: string): void {
    this.#transfers?.again(key)
  }

  /** The same file again, after the page was closed; false if it is another one or cannot be read. */
  async pick(key: string, file: Picked): Promise<boolean> {
    return (await this.#transfers?.pick(key, file).catch(() => false)) ?? false
  }
}
