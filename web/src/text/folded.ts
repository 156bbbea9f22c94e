/** One form for what is written in several: full and half width, capitals, katakana, and variants of a kanji. */

const VARIANTS: Record<string, string> = { 髙: '高', 﨑: '崎', 邊: '辺', 邉: '辺', 齋: '斎', 齊: '斉', 澤: '沢', 濵: '浜', 濱: '浜', 廣: '広', 國: '国', 櫻: '桜' }

export function folded(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[ァ-ヶ]/g, (kana) => String.fromCharCode(kana.charCodeAt(0) - 0x60))
    .replace(/\s+/g, '')
    .replace(/[髙﨑邊邉齋齊澤濵濱廣國櫻]/g, (kanji) => VARIANTS[kanji] ?? kanji)
}

/** Every word of `wanted` stands somewhere in one of the texts. */
export function meant(wanted: string, ...texts: string[]): boolean {
  const all = texts.map(folded)
  return wanted.split(/[\s\u3000]+/).every((word) => all.some((text) => text.includes(folded(word))))
}
