import { pair } from '../pair'

/** Beside the name of an author who is no colleague. */
export const marks = pair({ bot: 'ボット', guest: '外部の方' }, { bot: 'bot', guest: 'from outside' })
