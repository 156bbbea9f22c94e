import icon from '../icon.svg?url'
import marked from '../icon-unread.svg?url'

/** In the title, as a mark on the icon, and on the app's own icon where there is one: seen without opening the page. */
export function showUnread(count: number, product: string): void {
  document.title = count > 0 ? `(${count > 99 ? '99+' : count}) ${product}` : product
  const link = document.querySelector<HTMLLinkElement>('link[rel=icon]')
  const wanted = count > 0 ? marked : icon
  if (link !== null && link.getAttribute('href') !== wanted) link.href = wanted
  // Browsers have it for installed pages alone, some refuse it: then the title says it.
  const badge = count > 0 ? navigator.setAppBadge?.(count) : navigator.clearAppBadge?.()
  badge?.catch(() => undefined)
}
