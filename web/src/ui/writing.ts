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

  edit(draft: Draft, message: Message): void {
    draft.edit(message)
    this.focus()
  }
}

export const writing = new Writing()
