import { pair } from '../pair'

/** What can be done with photos that are looked at. */
export const photos = pair(
  {
    acts: '写真の操作',
    save: '保存',
    saveAll: (count: number) => `${count}枚すべて保存`,
    saving: (index: number, count: number) => `保存しています ${index}/${count}枚`,
    savedAll: (count: number) => `${count}枚を保存しました。`,
    savedSome: (saved: number, failed: number) => `${saved}枚を保存しました。${failed}枚は保存できませんでした。もう一度お試しください。`,
    print: '印刷',
    preparing: '印刷の準備をしています',
    printFailed: (count: number) => `${count}枚を読み込めないため、その写真は印刷されません。`,
    intoNote: 'ノートに入れる',
    taken: (at: string) => `撮影 ${at}`,
    sent: (at: string) => `送信 ${at}`,
    notPrinted: 'この写真は表示できません',
  },
  {
    acts: 'Photo actions',
    save: 'Save',
    saveAll: (count) => `Save all ${count}`,
    saving: (index, count) => `Saving ${index} of ${count}`,
    savedAll: (count) => (count === 1 ? '1 photo was saved.' : `${count} photos were saved.`),
    savedSome: (saved, failed) => `${saved} saved. ${failed} could not be saved. Try again.`,
    print: 'Print',
    preparing: 'Getting ready to print',
    printFailed: (count) => `${count} of the photos could not be loaded and will not be printed.`,
    intoNote: 'Put into a note',
    taken: (at) => `Taken ${at}`,
    sent: (at) => `Sent ${at}`,
    notPrinted: 'This photo cannot be shown',
  },
)
