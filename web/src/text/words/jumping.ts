import { pair } from '../pair'

/** Going to another place of a timeline. */
export const jumping = pair(
  {
    title: '日付へ移動',
    day: '日付',
    go: '移動',
    working: '読み込んでいます',
    unread: '未読の先頭へ',
    first: '最初のメッセージへ',
    newest: '最新のメッセージへ',
    failed: 'メッセージを読み込めませんでした。つながってから、もう一度お試しください。',
  },
  {
    title: 'Go to a day',
    day: 'Day',
    go: 'Go',
    working: 'Loading',
    unread: 'To the first unread message',
    first: 'To the first message',
    newest: 'To the newest message',
    failed: 'The messages could not be loaded. Try again once you are connected.',
  },
)
