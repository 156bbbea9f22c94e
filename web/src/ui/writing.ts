import { tick } from 'svelte'
import type { Message, MessageId } from '../protocol/types'
import type { Draft } from '../state/drafts.svelte'

/** What other parts ask of the composer that is on the screen. */
class Writing {
  #field: HTMLTextAreaElement | null = null

  use(field: HTMLTextAreaElement): () => void {
    this.#field = field
    return () => {
      if (this.#field === field) this.#field = null
    }
  }

  focus(): void {
    // After the menu that asked for it has given the focus back.
    queueMicrotask(() => {
      this.#field?.focus()
      this.#field?.setSelectionRange(this.#field.value.length, this.#field.value.length)
    })
  }

  reply(draft: Draft, quote: MessageId): void {
    draft.leaveEditing()
    draft.quote = quote
    this.focus()
  }

  /** Words from elsewhere, where one is writing. */
  async put(draft: Draft, words: string): Promise<void> {
    const field = this.#field
    if (field === null) return
    const { selectionStart: start, selectionEnd: end } = field
    draft.text = draft.text.slice(0, start) + words + draft.text.slice(end)
    await tick()
    field.focus()
    field.setSelectionRange(start + words.length, start + words.length)
  }

  edit(draft: Draft, message: Message): void {
    draft.edit(message)
    this.focus()
  }
}

export const writing = new Writing()
