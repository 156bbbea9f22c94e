import { pair } from '../pair'

/** 要確認, announcements, sending later and who has read, as far as they stand on the page from the beginning. */
export const duties = pair(
  {
    askConfirm: '要確認にする',
    showReaders: '既読を見る',
    list: '自分の用件',
    toConfirm: '要確認',
    toConfirmCount: (count: number) => (count === 0 ? '確認待ちはありません' : `確認待ち${count >= 200 ? '200件以上' : `${count}件`}`),
    toSend: '送信予約',
    toSendCount: (count: number) => `送信予約${count}件`,
    toSendFailed: '送信できなかったものがあります',
    levels: { urgent: '緊急', important: '重要', notice: 'お知らせ' } as Record<string, string>,
    readBy: (read: number, total: number) => (total === 1 ? (read === 1 ? '既読' : '未読') : `既読 ${read}/${total}`),
    readByLong: (read: number, total: number) =>
      `${total === 1 ? (read === 1 ? '既読' : '未読') : `既読 ${read}/${total}`}。一覧を開く`,
    readUnknown: '既読',
    askChosen: (time: string) => `要確認 ${time}まで`,
    later: '日時を指定',
    deadlineFirst: '確認の期限が送信の日時より前です。期限を選び直してください。',
    deadlinePast: '確認の期限を過ぎています。期限を選び直してください。',
  },
  {
    askConfirm: 'Ask to confirm',
    showReaders: 'Read by whom',
    list: 'My tasks',
    toConfirm: 'To confirm',
    toConfirmCount: (count) => (count === 0 ? 'nothing to confirm' : `${count >= 200 ? '200 or more' : count} to confirm`),
    toSend: 'Scheduled',
    toSendCount: (count) => `${count} scheduled`,
    toSendFailed: 'some could not be sent',
    levels: { urgent: 'Urgent', important: 'Important', notice: 'Notice' },
    readBy: (read, total) => (total === 1 ? (read === 1 ? 'Read' : 'Unread') : `Read ${read}/${total}`),
    readByLong: (read, total) => `${total === 1 ? (read === 1 ? 'Read' : 'Unread') : `Read ${read}/${total}`}. Open the list`,
    readUnknown: 'Read by',
    askChosen: (time) => `To confirm by ${time}`,
    later: 'Choose a time',
    deadlineFirst: 'The time to confirm by is before the time of sending. Choose another one.',
    deadlinePast: 'The time to confirm by has passed. Choose another one.',
  },
)
