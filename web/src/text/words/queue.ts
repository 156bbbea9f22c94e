import { pair } from '../pair'

/** All that waits to be sent, in one place. */
export const queue = pair(
  {
    title: '送信待ち',
    none: '送信待ちのものはありません。',
    about: 'ここにあるものは、つながると上から順に自動で送ります。画面を閉じても、端末を再起動しても残ります。',
    sent: '送信済み(この画面を開いてから)',
    sentAt: (time: string) => `${time} 送信しました`,
    written: (time: string) => `${time} 作成`,
    attached: (photos: number, files: number) =>
      [photos > 0 ? `写真${photos}枚` : '', files > 0 ? `ファイル${files}件` : ''].filter(Boolean).join('・'),
    things: (count: number) => `添付${count}件`,
    roomGone: '参加していないトークルーム',
    open: 'トークルームを開く',
    openNamed: (name: string) => `${name}を開く`,
    discardNamed: (name: string) => `${name}への送信を取り消す`,
    discardAsk: 'このメッセージを取り消しますか。写真もこの端末から消えます。',
    discardDo: '取り消す',
    keep: 'やめる',
    failed: '送信できませんでした。',
    storage: '保存のしかた',
    persisted: 'このブラウザーは、送信待ちのものを自動では消しません。',
    notPersisted:
      'このブラウザーは、空き容量が少なくなったり長く使わなかったりすると、送信待ちのものを消すことがあります。早めに電波のよい所で開いてください。ホーム画面に追加すると消えにくくなります。',
    low: (left: string) => `端末の空きが残り約${left}です。写真を保存できなくなることがあります。`,
    notDurable: 'この端末に保存できないため、送信が終わるまで画面を閉じないでください。',
  },
  {
    title: 'Waiting to be sent',
    none: 'Nothing is waiting.',
    about: 'What is here is sent by itself, in order, as soon as there is a connection. It survives closing the page and restarting the device.',
    sent: 'Sent since the page was opened',
    sentAt: (time) => `Sent ${time}`,
    written: (time) => `Written ${time}`,
    attached: (photos, files) =>
      [photos > 0 ? `${photos} ${photos === 1 ? 'photo' : 'photos'}` : '', files > 0 ? `${files} ${files === 1 ? 'file' : 'files'}` : '']
        .filter(Boolean)
        .join(', '),
    things: (count) => `${count} attached`,
    roomGone: 'A room you are not in',
    open: 'Open the room',
    openNamed: (name) => `Open ${name}`,
    discardNamed: (name) => `Take back what goes to ${name}`,
    discardAsk: 'Take this message back? Its photos are deleted from this device, too.',
    discardDo: 'Take back',
    keep: 'Cancel',
    failed: 'It could not be sent.',
    storage: 'How it is kept',
    persisted: 'This browser does not delete what waits by itself.',
    notPersisted:
      'This browser may delete what waits when space runs out or after a long time without use. Open the page where the signal is good, soon. On the home screen it is safer.',
    low: (left) => `About ${left} of space is left on the device. Photos may not fit any more.`,
    notDurable: 'It cannot be kept on this device: do not close the page until it is sent.',
  },
)
