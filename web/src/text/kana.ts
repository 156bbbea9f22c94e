/** The forms under which names are looked for: the same folding as the server's, for lists that are on the page. */

const SHIFT = 'ァ'.charCodeAt(0) - 'ぁ'.charCodeAt(0)

/** Forms that names are written with; the first of each group is what all are compared as. */
const GROUPS =
  '高髙 崎﨑嵜碕 浜濱濵 辺邊邉 斉齊斎齋 沢澤 桜櫻 広廣 国國 島嶋嶌 吉𠮷 柳栁 富冨 徳德 恵惠 真眞 滝瀧 竜龍 関關 塩鹽 黒黑 鉄鐵 栄榮 静靜 豊豐 館舘 曽曾 桑桒 渕淵渊 峰峯 条條 児兒 円圓 万萬 与與 弥彌 寿壽 亀龜 礼禮 実實 薮藪 祢禰 槙槇 遥遙 尭堯'
const plain = new Map(GROUPS.split(' ').flatMap((group) => [...group].slice(1).map((form) => [form, [...group][0]!] as const)))

/** 「タナカ」「ﾀﾅｶ」 as 「たなか」, 髙 as 高, without spaces and capitals. */
export function folded(text: string): string {
  const shown = text.normalize('NFKC').toLowerCase().replace(/\s+/g, '')
  const kana = shown.replace(/[ァ-ヶ]/g, (sign) => String.fromCharCode(sign.charCodeAt(0) - SHIFT))
  return [...kana].map((sign) => plain.get(sign) ?? sign).join('')
}
