import { pair } from '../pair'

/** On a device that may only ask how it stands. */
export const barred = pair(
  {
    waiting: 'この端末は、管理者の承認を待っています。',
    waitingHow: '承認されると、この画面が自動で切り替わります。急ぐときは、管理者に端末の名前を伝えて承認を依頼してください。',
    elsewhere: 'この端末は、いまのネットワークからは使えません。',
    elsewhereHow: '団体の決まりで、使えるネットワークが限られています。管理者にお問い合わせください。',
    wiping: '管理者の求めにより、この端末のデータを消しています。',
    wipingHow: '消し終わったことをサーバーに知らせると、ログアウトします。',
    wiped: (unsent: number) =>
      `管理者の求めにより、この端末のデータを消しました。${unsent > 0 ? `送信前だった${unsent}件も消えました。` : ''}`,
    asking: '確かめています。',
    again: 'もう一度確かめる',
    unreachable: 'サーバーにつながりません。つながり次第、続けます。',
    signOut: 'ログアウト',
  },
  {
    waiting: 'This device waits for an administrator’s approval.',
    waitingHow: 'Once it is approved this page goes on by itself. If it is urgent, tell your administrator the device’s name.',
    elsewhere: 'This device cannot be used from this network.',
    elsewhereHow: 'Your organization limits the networks it may come from. Ask your administrator.',
    wiping: 'An administrator asked for it: the data of this device is being cleared.',
    wipingHow: 'The device is signed out once the server knows that it is done.',
    wiped: (unsent: number) =>
      `The data of this device was cleared, as an administrator asked.${unsent > 0 ? ` ${unsent} items that were not sent yet are gone with it.` : ''}`,
    asking: 'Asking …',
    again: 'Ask again',
    unreachable: 'The server cannot be reached. This goes on as soon as it can.',
    signOut: 'Sign out',
  },
)
