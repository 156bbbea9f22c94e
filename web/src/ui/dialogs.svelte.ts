import type { Component } from 'svelte'

interface Shown {
  key: number
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- each brings its own props, checked by `open`
  load: () => Promise<{ default: Component<any> }>
  props: Record<string, unknown>
}

/** The one dialog that lies over the whole page for a moment, called from anywhere and loaded when it is first opened. */
class Dialogs {
  shown = $state.raw<Shown | null>(null)
  #key = 0

  /** `props` are the dialog's own; `closed` is added to them. */
  open<Props extends { closed: () => void }>(
    load: () => Promise<{ default: Component<Props> }>,
    props: Omit<Props, 'closed'>,
  ): void {
    this.shown = { key: ++this.#key, load, props }
  }

  readonly close = (): void => {
    this.shown = null
  }
}

export const dialogs = new Dialogs()
