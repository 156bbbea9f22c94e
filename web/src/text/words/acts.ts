import { pair } from '../pair'

/** What can be done with a message. */
export const acts = pair(
  {
    menu: 'メッセージの操作',
    menuOf: (author: string, time: string) => `${author} ${time}のメッセージの操作`,
    copy: '文字をコピー',
  },
  {
    menu: 'Message actions',
    menuOf: (author, time) => `Actions for ${author}, ${time}`,
    copy: 'Copy text',
  },
)
