/** As the device is: whoever comes once is not asked. By an attribute, because that is what app.css knows. */
export function followTheme(): void {
  const dark = matchMedia('(prefers-color-scheme: dark)')
  const show = () => (document.documentElement.dataset.theme = dark.matches ? 'dark' : 'light')
  dark.addEventListener('change', show)
  show()
}
