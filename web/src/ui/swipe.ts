import type { Attachment } from 'svelte/attachments'

const FAR = 48

/** A thumb that goes sideways over the element: -1 to the right (back), 1 to the left (on). Not while one has zoomed in. */
export function swipe(moved: (step: -1 | 1) => void): Attachment<HTMLElement> {
  return (element) => {
    let from: Touch | null = null
    const start = (event: TouchEvent) => {
      const zoomed = (visualViewport?.scale ?? 1) > 1.05
      from = event.touches.length === 1 && !zoomed ? event.touches[0]! : null
    }
    const end = (event: TouchEvent) => {
      const to = event.changedTouches[0]
      if (from === null || to === undefined || event.touches.length > 0) return
      const [x, y] = [to.clientX - from.clientX, to.clientY - from.clientY]
      from = null
      if (Math.abs(x) > FAR && Math.abs(x) > 2 * Math.abs(y)) moved(x < 0 ? 1 : -1)
    }
    element.addEventListener('touchstart', start, { passive: true })
    element.addEventListener('touchend', end, { passive: true })
    return () => {
      element.removeEventListener('touchstart', start)
      element.removeEventListener('touchend', end)
    }
  }
}
