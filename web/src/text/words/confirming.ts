import { pair } from '../pair'

/** 要確認 on a message. */
export const confirming = pair(
  {
    label: '要確認',
    until: (time: string) => `${time}まで`,
    over: (time: string) => `期限 ${time} を過ぎました`,
    state: '確認状況',
    counted: (confirmed: number, asked: number) =>
      asked > 0 && confirmed >= asked ? `${asked}人全員が確認済み` : `${asked}人中${confirmed}人が確認済み`,
    openState: (counted: string) => `${counted}。一覧を開く`,
    confirm: '確認しました',
    confirming: '送っています',
    confirmed: '確認済み',
    unreachable: 'サーバーにつながりません。つながってから、もう一度お試しください。',
    deadlineTitle: 'いつまでに確認をお願いしますか',
  },
  {
    label: 'Please confirm',
    until: (time) => `by ${time}`,
    over: (time) => `was due ${time}`,
    state: 'Confirmations',
    counted: (confirmed, asked) =>
      asked > 0 && confirmed >= asked ? `confirmed by all ${asked}` : `confirmed by ${confirmed} of ${asked}`,
    openState: (counted) => `${counted}. Open the list`,
    confirm: 'I confirm',
    confirming: 'Sending',
    confirmed: 'Confirmed',
    unreachable: 'The server cannot be reached. Try again once you are connected.',
    deadlineTitle: 'Until when should everybody confirm?',
  },
)
