/**
 * Safari lays its keyboard over the page instead of making it smaller, and the field that one writes in lies under it.
 * Chromium and Firefox do as index.html asks (`interactive-widget`). So the page is as high as what can be seen.
 */
export function followViewport(): void {
  const seen = window.visualViewport
  if (!seen) return
  const root = document.documentElement
  const follow = () => {
    // Zoomed in by fingers, less is seen because one wants to see less.
    const covered = seen.scale < 1.05 && innerHeight - seen.height > 80
    root.classList.toggle('keyboard', covered)
    root.style.setProperty('--seen', covered ? `${Math.round(seen.height)}px` : '100%')
    // Safari also pushes the page up to the field; it fits now, so it comes back down.
    if (covered && seen.offsetTop > 0) scrollTo(0, 0)
  }
  seen.addEventListener('resize', follow)
  seen.addEventListener('scroll', follow)
}
