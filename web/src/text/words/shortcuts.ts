import { pair } from '../pair'

/** The page of keys; what each does stands beside it in `ui/shortcuts`. */
export const shortcuts = pair(
  {
    title: 'キーの一覧',
    where: { everywhere: 'どこでも', list: 'トークルーム一覧', timeline: 'メッセージ一覧', composer: 'メッセージの入力' } as Record<string, string>,
    hint: '文字を入力している間は、Ctrlと組み合わせないキーは働きません。日本語の変換中は、どのキーも働きません。',
    or: 'または',
  },
  {
    title: 'Keys',
    where: { everywhere: 'Everywhere', list: 'List of rooms', timeline: 'Messages', composer: 'Writing' },
    hint: 'While you write, keys without Ctrl do nothing but write; while an input method converts, none does.',
    or: 'or',
  },
)
