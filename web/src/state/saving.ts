/** Hands a file that the page holds to the browser's downloads. */
export function saveBlob(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob)
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  // The browser has taken it by then; a URL that stays holds the bytes for as long as the page lives.
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}
