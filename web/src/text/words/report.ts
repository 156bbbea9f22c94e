import { pair } from '../pair'

/** What was taken out of a file that came from outside. */
export const report = pair(
  {
    title: '受け取りの報告',
    received: '受け取り',
    size: '大きさ',
    before: '受け取ったもののSHA-256',
    after: '作り直したもののSHA-256',
    given: '渡したもののSHA-256',
    nothing: '取り除いたものはありません。',
    passed: '原本のまま渡しました。作り直していません。',
    approval: '承認',
    refusal: '却下',
    decided: (name: string, at: string, reason: string) => `${name}、${at}、理由: ${reason}`,
    removed: '取り除いたもの',
    warnings: 'ご注意',
    from: (before: string, after: string) => `${before} → ${after}`,
  },
  {
    title: 'How it was received',
    received: 'Received',
    size: 'Size',
    before: 'SHA-256 as received',
    after: 'SHA-256 as rebuilt',
    given: 'SHA-256 as handed over',
    nothing: 'Nothing was taken out.',
    passed: 'Handed over as it came; it was not rebuilt.',
    approval: 'Approved by',
    refusal: 'Refused by',
    decided: (name, at, reason) => `${name}, ${at}: ${reason}`,
    removed: 'Taken out',
    warnings: 'Please note',
    from: (before: string, after: string) => `${before} → ${after}`,
  },
)
