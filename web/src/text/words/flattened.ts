import { pair } from '../pair'

/** Pictures of a file's pages (ui/Flattened.svelte). */
export const flattened = pair(
  {
    ask: 'ページを画像に',
    askNamed: (name: string) => `${name}のページを画像にしたPDFを作る`,
    save: '画像のPDFを保存',
    saveNamed: (name: string) => `${name}のページを画像にしたPDFを保存`,
    pending: 'ページを画像にしています。しばらくお待ちください。',
    ready: 'ページを画像にしたPDFができました。',
    why: 'ページを画像にしたPDFには、文字もマクロもリンクもありません。安心して開けます。',
    unreachable: 'サーバーにつながりません。もう一度お試しください。',
  },
  {
    ask: 'Pages as pictures',
    askNamed: (name: string) => `Make a PDF of pictures of the pages of ${name}`,
    save: 'Save the pictures (PDF)',
    saveNamed: (name: string) => `Save the PDF of pictures of the pages of ${name}`,
    pending: 'The pages become pictures. One moment.',
    ready: 'The PDF of pictures of the pages is ready.',
    why: 'It has no text, macros or links: nothing in it can do anything.',
    unreachable: 'The server cannot be reached. Try again.',
  },
)
