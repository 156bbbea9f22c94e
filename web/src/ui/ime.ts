/**
 * The one guard against the input method's own keys. While a person converts kana to kanji, Enter confirms the
 * conversion; a page that takes it for its own sends half a sentence. `isComposing` alone is not enough: Safari's
 * keydown comes after the composition ended, and only its keyCode 229 tells.
 */
export function isComposing(event: KeyboardEvent): boolean {
  return event.isComposing || event.keyCode === 229
}

/** A keydown handler that never sees a key of the input method; nor does a form around its input. Every input of the product uses it. */
export function keys(handler: (event: KeyboardEvent) => void): (event: KeyboardEvent) => void {
  return (event) => {
    if (!isComposing(event)) handler(event)
    else if ((event.target as Element | null)?.localName === 'input') holdEnter(event)
  }
}

/** For forms, which browsers submit on Enter: not while Enter belongs to the input method. */
export function holdEnter(event: KeyboardEvent): void {
  if (event.key === 'Enter' && isComposing(event)) event.preventDefault()
}

/**
 * For the whole page: the Escape that gives up a conversion closes no dialog. Browsers do that by themselves, before
 * anybody is asked, where the input method leaves the key its name (macOS).
 */
export function holdEscape(event: KeyboardEvent): void {
  if (event.key === 'Escape' && isComposing(event)) event.preventDefault()
}
