import type { Component } from 'svelte'

/** Whatever lies over the room for a moment: a question, a list. It is loaded when it is first opened. */
interface Opened {
  part: Promise<{ default: Component<any> }>
  props: Record<string, unknown>
}

class Overlay {
  opened = $state.raw<Opened | null>(null)

  /** `props` are the part's own; `closed` is added to them. */
  open<Props extends { closed: () => void }>(
    load: () => Promise<{ default: Component<Props> }>,
    props: Omit<Props, 'closed'>,
  ): void {
    this.opened = { part: load(), props }
  }

  readonly close = (): void => {
    this.opened = null
  }
}

export const overlay = new Overlay()
