/**
 * Sizes of text are written in pixels, as one thinks of them, and travel in rem: only so do all of them grow with
 * 文字サイズ and with the browser's own setting, and nobody has to remember it.
 */
export const textInRem = {
  postcssPlugin: 'text-in-rem',
  Declaration(declaration: { prop: string; value: string }) {
    if (!/^(font|font-size|line-height)$/.test(declaration.prop)) return
    declaration.value = declaration.value.replace(/(\d*\.?\d+)px/g, (_, pixels) => `${Number(pixels) / 16}rem`)
  },
}
