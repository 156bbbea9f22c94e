import { pair } from '../pair'

/** Taking back a message. */
export const removing = pair(
  {
    cancelTitle: '送信取消',
    cancelAsk: 'このメッセージの送信を取り消しますか。本文と添付はだれにも見えなくなり、元には戻せません。',
    cancelNote: '送信から24時間以内に限り、取り消せます。すでに読んだ人の記憶や、控えた内容は取り消せません。',
    cancelDo: '送信を取り消す',
    redactTitle: 'メッセージの削除',
    redactAsk: 'このメッセージを削除しますか。本文と添付はだれにも見えなくなり、元には戻せません。',
    redactOther: (author: string) => `${author}さんのメッセージです。管理者としての削除は記録に残ります。`,
    redactDo: '削除する',
    keep: 'やめる',
    working: '取り消しています',
    cancelled: '送信を取り消しました。',
    redacted: 'メッセージを削除しました。',
  },
  {
    cancelTitle: 'Cancel sending',
    cancelAsk: 'Take this message back? Its text and attachments disappear for everybody, for good.',
    cancelNote: 'This is possible within 24 hours of sending. Who has read it already may remember it or have copied it.',
    cancelDo: 'Take it back',
    redactTitle: 'Delete message',
    redactAsk: 'Delete this message? Its text and attachments disappear for everybody, for good.',
    redactOther: (author) => `It was written by ${author}. That an owner deleted it is kept on record.`,
    redactDo: 'Delete',
    keep: 'Keep it',
    working: 'Taking it back',
    cancelled: 'The message was taken back.',
    redacted: 'The message was deleted.',
  },
)
