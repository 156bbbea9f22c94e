import { pair } from '../pair'

/** The pane beside a room. */
export const details = pair(
  {
    title: '詳細',
    open: 'トークルームの詳細',
    close: '閉じる',
    back: '戻る',
    loading: '読み込んでいます',
    failed: '読み込めませんでした。画面を開き直してください。',
    tabs: '詳細の種類',
    members: 'メンバー',
    files: '添付',
    pins: 'ピン留め',
    notes: 'ノート',
  },
  {
    title: 'Details',
    open: 'Details of the room',
    close: 'Close',
    back: 'Back',
    loading: 'Loading',
    failed: 'This could not be loaded. Please reload the page.',
    tabs: 'Kinds of details',
    members: 'Members',
    files: 'Attachments',
    pins: 'Pins',
    notes: 'Notes',
  },
)
