import { isComposing } from './ime'

/** How long a thumb rests before it is not a tap any more. */
const LONG = 450
const SLIP = 10

export interface RowActs {
  /** Opens the menu of the message whose row this is, beside `at`. */
  menu(row: HTMLElement, at: HTMLElement): void
  /** The row after (1) or before (-1) this one; null where there is none. */
  beside(row: HTMLElement, step: 1 | -1): HTMLElement | null
}

/** Moves between the rows of a timeline and opens their menus: by keys, and by a thumb that rests on a row. */
export function rowActs(acts: RowActs): (box: HTMLElement) => () => void {
  return (box) => {
    let timer: ReturnType<typeof setTimeout> | undefined
    let from = { x: 0, y: 0 }
    let rested = false

    const rowOf = (target: EventTarget | null): HTMLElement | null =>
      target instanceof Element ? target.closest<HTMLElement>('[data-message]') : null
    const menu = (row: HTMLElement) => acts.menu(row, row.querySelector<HTMLElement>('[data-menu]') ?? row)

    function keydown(event: KeyboardEvent): void {
      if (isComposing(event) || event.ctrlKey || event.metaKey || event.altKey) return
      const row = rowOf(event.target)
      if (row === null) {
        if (event.target !== box || !['j', 'k', 'J', 'K'].includes(event.key)) return
        // From the box itself into its rows: the last one in sight.
        const edge = box.getBoundingClientRect().bottom
        const rows = [...box.querySelectorAll<HTMLElement>('[data-message]')]
        rows.findLast((one) => one.getBoundingClientRect().top < edge - 24)?.focus({ preventScroll: true })
        event.preventDefault()
        return
      }
      if (event.key === 'ContextMenu' || (event.shiftKey && event.key === 'F10')) {
        event.preventDefault()
        menu(row)
        return
      }
      // Arrow keys belong to what is inside the row, if the focus is there.
      const own = event.target === row
      const step = { j: 1, J: 1, k: -1, K: -1, ...(own ? { ArrowDown: 1, ArrowUp: -1 } : {}) }[event.key]
      if (event.shiftKey && step === undefined) return
      if (step !== undefined) {
        event.preventDefault()
        const next = acts.beside(row, step as 1 | -1)
        next?.focus({ preventScroll: true })
        next?.scrollIntoView({ block: 'nearest' })
      } else if (event.key === 'Enter' && own) {
        event.preventDefault()
        menu(row)
      }
    }

    function pointerdown(event: PointerEvent): void {
      rested = false
      clearTimeout(timer)
      if (event.pointerType === 'mouse') return
      const row = rowOf(event.target)
      if (row === null) return
      from = { x: event.clientX, y: event.clientY }
      timer = setTimeout(() => {
        rested = true
        menu(row)
      }, LONG)
    }

    function pointermove(event: PointerEvent): void {
      if (Math.hypot(event.clientX - from.x, event.clientY - from.y) > SLIP) clearTimeout(timer)
    }

    const stop = () => clearTimeout(timer)

    function contextmenu(event: Event): void {
      // The phone's own menu, which comes after a rest of the thumb as well.
      if (event instanceof PointerEvent && event.pointerType === 'touch' && rowOf(event.target) !== null) event.preventDefault()
    }

    function touchend(event: TouchEvent): void {
      stop()
      // The thumb that opened the menu leaves: it does not mean what has come to lie under it.
      if (rested) event.preventDefault()
    }

    box.addEventListener('keydown', keydown)
    box.addEventListener('pointerdown', pointerdown)
    box.addEventListener('pointermove', pointermove)
    box.addEventListener('pointerup', stop)
    box.addEventListener('pointercancel', stop)
    box.addEventListener('contextmenu', contextmenu)
    box.addEventListener('touchend', touchend)
    return () => {
      stop()
      box.removeEventListener('keydown', keydown)
      box.removeEventListener('pointerdown', pointerdown)
      box.removeEventListener('pointermove', pointermove)
      box.removeEventListener('pointerup', stop)
      box.removeEventListener('pointercancel', stop)
      box.removeEventListener('contextmenu', contextmenu)
      box.removeEventListener('touchend', touchend)
    }
  }
}
