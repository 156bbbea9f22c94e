import { pair } from '../pair'

/** What can be asked for with a message. */
export const wishes = pair(
  {
    options: '送信の設定',
    level: 'お知らせの重要度',
    ask: '要確認',
    askOption: '要確認にして送る',
    unask: '要確認をやめる',
    askTitle: 'いつまでに確認をお願いしますか',
    withoutConfirm: '要確認を外して送信',
    withoutLevel: 'お知らせとして送信',
    withoutAt: '今すぐ送信',
    waits: (time: string) => `${time} に送信予約`,
    laterTitle: 'いつ送信しますか',
  },
  {
    options: 'How to send',
    level: 'Importance of the announcement',
    ask: 'To confirm',
    askOption: 'Ask to confirm',
    unask: 'Do not ask to confirm',
    askTitle: 'Until when should everybody confirm?',
    withoutConfirm: 'Send without asking to confirm',
    withoutLevel: 'Send as a notice',
    withoutAt: 'Send now',
    waits: (time) => `to be sent ${time}`,
    laterTitle: 'When should this be sent?',
  },
)
