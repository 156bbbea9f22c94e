import { remember, remembered } from './shelf'

export const NARROWEST = 220
export const WIDEST = 520
const USUAL = 288

/** How wide the list column is at the desk, on this device. */
class ListWidth {
  #width = $state(within(remembered('list', USUAL)))

  get value(): number {
    return this.#width
  }

  set(width: number): void {
    this.#width = within(width)
  }

  /** Not while it is dragged: a disk need not know every pixel. */
  keep(): void {
    remember('list', this.#width)
  }

  usual(): void {
    this.set(USUAL)
    this.keep()
  }
}

function within(width: unknown): number {
  return typeof width === 'number' && Number.isFinite(width) ? Math.round(Math.min(WIDEST, Math.max(NARROWEST, width))) : USUAL
}

export const listWidth = new ListWidth()
