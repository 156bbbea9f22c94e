import { pair } from '../pair'

/** Announcements on top of the page. */
export const announcing = pair(
  {
    announcements: '未読のお知らせ',
    more: (count: number) => `ほか${count}件`,
    fewer: 'たたむ',
    look: '開く',
    dismiss: '閉じる',
    openNamed: (room: string, level: string) => `${room}の${level}を開く`,
    gone: 'このメッセージは表示できません。削除されたか、古すぎる可能性があります。',
  },
  {
    announcements: 'Unread announcements',
    more: (count) => `${count} more`,
    fewer: 'Show fewer',
    look: 'Open',
    dismiss: 'Close',
    openNamed: (room, level) => `Open: ${level}, ${room}`,
    gone: 'This message cannot be shown. It may have been deleted, or be too old.',
  },
)
