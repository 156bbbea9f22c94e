/** Chromium's own offer to install the page; it may be made only on a person's word, and once. */
interface Offer extends Event {
  prompt(): Promise<unknown>
}

class Installing {
  #offer = $state.raw<Offer | null>(null)
  installed = $state(matchMedia('(display-mode: standalone)').matches)
  readonly possible = $derived(this.#offer !== null)

  constructor() {
    addEventListener('beforeinstallprompt', (event) => {
      event.preventDefault()
      this.#offer = event as Offer
    })
    addEventListener('appinstalled', () => {
      this.#offer = null
      this.installed = true
    })
  }

  ask(): void {
    const offer = this.#offer
    this.#offer = null
    void offer?.prompt()
  }
}

export const installing = new Installing()
