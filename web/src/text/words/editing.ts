import { pair } from '../pair'

/** Changing a message in the composer. */
export const editing = pair(
  {
    label: '編集中',
    leave: '編集をやめる',
    save: '保存',
    conflict: '別の端末で先に編集されています。入力した文はこのまま残っています。どちらにするか選んでください。',
    gone: 'このメッセージは削除されています。入力した文が必要なときは、コピーしてから編集をやめてください。',
    theirs: '現在の内容',
    replace: '入力した文で置き換える',
    take: '現在の内容に戻す',
    answer: '返信',
    leaveAnswer: '返信をやめる',
  },
  {
    label: 'Editing',
    leave: 'Stop editing',
    save: 'Save',
    conflict: 'The message was edited on another device first. What you wrote is still here. Choose which one stays.',
    gone: 'This message was deleted. If you need what you wrote, copy it before you stop editing.',
    theirs: 'What it says now',
    replace: 'Replace it with mine',
    take: 'Go back to this',
    answer: 'Reply',
    leaveAnswer: 'Do not reply',
  },
)
