import { isQuiet } from './quiet'
import { loadFields, save } from './stored'

export type Theme = 'system' | 'light' | 'dark'
export type TextSize = 'standard' | 'large' | 'largest'
export type SendKey = 'ctrl-enter' | 'enter'
/** What a desktop notification says: that somebody wrote, or what. */
export type Telling = 'names' | 'text'

/** How this device looks to whoever sits at it: stays when the next person signs in. */
const DEVICE = 'renraku.device'
/** How the person who is signed in works: goes with them. An Enter that sends would surprise the next one. */
const PERSON = 'renraku.person'

const LOOK = { theme: 'system' as Theme, textSize: 'standard' as TextSize }
const WORK = {
  sendKey: 'ctrl-enter' as SendKey,
  notify: false,
  telling: 'names' as Telling,
  quiet: false,
  quietFrom: '18:00',
  quietUntil: '08:30',
  quietWeekends: true,
}

const DARK = matchMedia('(prefers-color-scheme: dark)')
const PAPER = { light: '#f2f0ea', dark: '#121416' }

class Preferences {
  #look = $state(known(loadFields(DEVICE, LOOK)))
  #work = $state(loadFields(PERSON, WORK))

  constructor() {
    this.#show()
    DARK.addEventListener('change', () => this.#show())
    // Another tab changed them.
    addEventListener('storage', ({ key }) => {
      if (key === DEVICE) {
        this.#look = known(loadFields(DEVICE, LOOK))
        this.#show()
      }
      if (key === PERSON || key === null) this.#work = loadFields(PERSON, WORK)
    })
  }

  get theme(): Theme {
    return this.#look.theme
  }
  set theme(theme: Theme) {
    this.#look.theme = theme
    this.#keepLook()
  }

  get textSize(): TextSize {
    return this.#look.textSize
  }
  set textSize(size: TextSize) {
    this.#look.textSize = size
    this.#keepLook()
  }

  get sendKey(): SendKey {
    return this.#work.sendKey === 'enter' ? 'enter' : 'ctrl-enter'
  }
  set sendKey(key: SendKey) {
    this.change({ sendKey: key })
  }

  /** Whether this Enter sends what was written. With Ctrl it always does. */
  sends({ ctrlKey, metaKey, shiftKey, altKey }: KeyboardEvent): boolean {
    return ctrlKey || metaKey || (this.sendKey === 'enter' && !shiftKey && !altKey)
  }

  get work(): Readonly<typeof WORK> {
    return this.#work
  }

  change(work: Partial<typeof WORK>): void {
    this.#work = { ...this.#work, ...work }
    save(PERSON, JSON.stringify(this.#work))
  }

  /** Whether nothing may ring at this moment. */
  quietAt(now: Date): boolean {
    const { quiet, quietFrom, quietUntil, quietWeekends } = this.#work
    return isQuiet({ on: quiet, from: quietFrom, until: quietUntil, weekends: quietWeekends }, now)
  }

  /** The person leaves: what was theirs is as it was before they came. Their storage is emptied by `erase`. */
  forgetPerson(): void {
    this.#work = { ...WORK }
  }

  #keepLook(): void {
    save(DEVICE, JSON.stringify(this.#look))
    this.#show()
  }

  /** By attributes, because the content security policy allows no style of ours in them. */
  #show(): void {
    const { theme, textSize } = this.#look
    const root = document.documentElement
    const shown = theme === 'system' ? (DARK.matches ? 'dark' : 'light') : theme
    root.dataset.theme = shown
    if (textSize === 'standard') delete root.dataset.text
    else root.dataset.text = textSize
    for (const meta of document.querySelectorAll<HTMLMetaElement>('meta[name=theme-color]')) meta.content = PAPER[shown]
  }
}

function known({ theme, textSize }: typeof LOOK): typeof LOOK {
  return {
    theme: ['light', 'dark'].includes(theme) ? theme : 'system',
    textSize: ['large', 'largest'].includes(textSize) ? textSize : 'standard',
  }
}

/** Keys of localStorage that belong to the device and not to a person. */
export const OF_THE_DEVICE: readonly string[] = [DEVICE, 'renraku.language', 'renraku.organization', 'renraku.list']

export const preferences = new Preferences()
