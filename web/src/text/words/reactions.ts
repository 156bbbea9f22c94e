import { pair } from '../pair'

/**
 * What one answers with. The word itself is what travels, in Japanese; whoever reads English sees it translated. A
 * superior is not answered 「了解」, so it is not offered.
 */
export const WORDS = ['承知しました', '確認しました', '対応します', 'ありがとうございます', '対応中です', '完了しました', '出席します', '欠席します'] as const
export const SIGNS = ['○', '△', '×', '★', '👍', '🙏'] as const

export const reactions = pair(
  {
    title: 'リアクションを選ぶ',
    words: 'ことば',
    signs: '記号',
    loading: '名前を確認しています',
    more: (count: number) => `ほか${count}人`,
    shown: {} as Record<string, string>,
    signNames: { '○': 'まる', '△': 'さんかく', '×': 'ばつ', '★': '星', '👍': 'いいね', '🙏': 'お願い・感謝' } as Record<string, string>,
  },
  {
    title: 'Choose a reaction',
    words: 'Words',
    signs: 'Signs',
    loading: 'Looking up the names',
    more: (count) => `and ${count} more`,
    shown: {
      承知しました: 'Understood',
      確認しました: 'Seen and checked',
      対応します: 'I will see to it',
      ありがとうございます: 'Thank you',
      対応中です: 'Working on it',
      完了しました: 'Done',
      出席します: 'I will attend',
      欠席します: 'I cannot attend',
    },
    signNames: { '○': 'Circle: yes', '△': 'Triangle: perhaps', '×': 'Cross: no', '★': 'Star', '👍': 'Thumbs up', '🙏': 'Please, thanks' },
  },
)
