import { pair } from '../pair'

/** What can be done with a message. */
export const acts = pair(
  {
    menu: 'メッセージの操作',
    menuOf: (author: string, time: string) => `${author} ${time}のメッセージの操作`,
    copy: '文字をコピー',
    intoNote: 'ノートに入れる',
    chooseOf: (author: string, time: string) => `${author} ${time}のメッセージを選ぶ`,
  },
  {
    menu: 'Message actions',
    menuOf: (author, time) => `Actions for ${author}, ${time}`,
    copy: 'Copy text',
    intoNote: 'Put into a note',
    chooseOf: (author, time) => `Choose the message of ${author}, ${time}`,
  },
)
