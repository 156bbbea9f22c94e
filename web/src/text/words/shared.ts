import { pair } from '../pair'

/** What another app gave to the page. The first sentence speaks before one is signed in. */
export const shared = pair(
  { signedOut: '共有された内容をこの端末に預かっています。ログインすると、送り先を選べます。' },
  { signedOut: 'What was shared is kept on this device. Sign in to choose where it goes.' },
)
