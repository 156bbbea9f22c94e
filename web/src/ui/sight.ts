import type { Attachment } from 'svelte/attachments'

/** Which of many rows are in sight: `told` hears their keys, once things have settled for a moment. */
export function sight(told: (keys: string[]) => void): { row(key: string): Attachment<HTMLElement>; stop(): void } {
  const seen = new Set<string>()
  const keys = new WeakMap<Element, string>()
  let timer: ReturnType<typeof setTimeout> | undefined
  const later = () => {
    clearTimeout(timer)
    timer = setTimeout(() => told([...seen]), 100)
  }
  const observer = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      const key = keys.get(target)
      if (key === undefined) continue
      if (isIntersecting) seen.add(key)
      else seen.delete(key)
    }
    later()
  })
  return {
    row: (key) => (element) => {
      keys.set(element, key)
      observer.observe(element)
      return () => {
        observer.unobserve(element)
        seen.delete(key)
        later()
      }
    },
    stop: () => {
      clearTimeout(timer)
      observer.disconnect()
    },
  }
}
