import type { Attachment } from 'svelte/attachments'

/** Calls once when the element comes within a screen of being seen, in the scrolling box it stands in. */
export function near(reached: () => void): Attachment<HTMLElement> {
  return (element) => {
    const root = element.closest('[data-scroll]')
    const observer = new IntersectionObserver(
      (entries) => {
        if (!entries.some(({ isIntersecting }) => isIntersecting)) return
        observer.disconnect()
        reached()
      },
      { root, rootMargin: '100% 0px' },
    )
    observer.observe(element)
    return () => observer.disconnect()
  }
}
