import { pair } from '../pair'

/** The ways to the memo pad that are always in sight. */
export const memo = pair(
  {
    title: 'メモ帳',
    key: 'メモ帳 (Ctrl+M)',
    from: 'メモから',
    more: 'ボットに頼む',
  },
  {
    title: 'Memo pad',
    key: 'Memo pad (Ctrl+M)',
    from: 'From memos',
    more: 'Ask a bot',
  },
)
