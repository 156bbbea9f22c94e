import { pair } from '../pair'

/** The lines that tell how the page stands: connection, queue, version. In the first page, because they speak without a line. */
export const notices = pair(
  {
    newer: '新しい版があります。',
    misfit: 'サーバーの版とこの画面の版が合っていません。',
    reload: '読み込み直す',
    queue: (count: number) => `送信待ち${count}件を見る`,
    stale: (time: string) => `オフラインです。最後に更新: ${time}`,
    evict: 'このブラウザーは、空き容量が少なくなると送信待ちを消すことがあります。',
    understood: '閉じる',
  },
  {
    newer: 'There is a new version.',
    misfit: 'The versions of the server and of this page do not fit.',
    reload: 'Reload',
    queue: (count) => (count === 1 ? 'Show the message that waits' : `Show the ${count} messages that wait`),
    stale: (time) => `Offline. Last updated: ${time}`,
    evict: 'This browser may delete what waits to be sent when space runs out.',
    understood: 'Close',
  },
)
