import { pair } from '../pair'

/** The pinned messages of a room. */
export const pins = pair(
  {
    loading: 'ピン留めを読み込んでいます',
    failed: 'ピン留めを読み込めませんでした。',
    again: 'もう一度読み込む',
    none: 'ピン留めはまだありません。メッセージの操作から「ピン留め」を選ぶと、全員がここで見られます。',
    jump: 'メッセージへ',
    jumpNamed: (author: string) => `${author}のメッセージへ`,
    unpin: '外す',
    unpinNamed: (author: string) => `${author}のメッセージのピン留めを外す`,
    attached: (count: number) => `添付 ${count}件`,
  },
  {
    loading: 'Loading the pins',
    failed: 'The pins could not be loaded.',
    again: 'Load again',
    none: 'Nothing is pinned yet. Choose “Pin” in the menu of a message, and everybody finds it here.',
    jump: 'To the message',
    jumpNamed: (author) => `To the message by ${author}`,
    unpin: 'Unpin',
    unpinNamed: (author) => `Unpin the message by ${author}`,
    attached: (count) => `${count} attached`,
  },
)
