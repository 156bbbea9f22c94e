"""What a report says to people, in Japanese and English. Every object, warning and reason of `report` has its line here."""

from __future__ import annotations

from typing import Final

from chat_server.sanitizing.report import Object, Removed, Warning_

REMOVED: Final[dict[Object, tuple[str, str]]] = {
    "macro": ("マクロ{n}件", "{n} macro(s)"),
    "script": ("スクリプト{n}件", "{n} script(s)"),
    "action": ("自動で動く仕掛け{n}件", "{n} automatic action(s)"),
    "link": ("外部へのリンク{n}件", "{n} link(s) to elsewhere"),
    "embedded": ("埋め込みオブジェクト{n}件", "{n} embedded object(s)"),
    "attachment": ("添付ファイル{n}件", "{n} attached file(s)"),
    "form": ("入力フォーム{n}件", "{n} form(s)"),
    "field": ("自動更新フィールド{n}件", "{n} active field(s)"),
    "formula": ("外部を呼び出す数式{n}件", "{n} formula(s) that call elsewhere"),
    "control": ("ActiveXなどの部品{n}件", "{n} control(s)"),
    "multimedia": ("音声・動画{n}件", "{n} sound(s) or film(s)"),
    "annotation": ("注釈{n}件", "{n} annotation(s)"),
    "signature": ("電子署名{n}件", "{n} digital signature(s)"),
    "external_data": ("外部データへの接続{n}件", "{n} connection(s) to outside data"),
    "custom_data": ("独自データ{n}件", "{n} piece(s) of custom data"),
    "printer_settings": ("プリンターの設定{n}件", "{n} printer setting(s)"),
    "vector_image": ("EMF・WMF形式の図{n}件", "{n} EMF or WMF picture(s)"),
    "metadata": ("ファイルの付加情報{n}件", "{n} piece(s) of metadata"),
    "place": ("撮影場所{n}件", "{n} place(s) of a photo"),
    "thumbnail": ("縮小画像{n}件", "{n} thumbnail(s)"),
    "comment": ("コメント{n}件", "{n} comment(s)"),
    "history": ("編集の履歴{n}件", "{n} earlier version(s)"),
    "characters": ("見えない制御文字{n}個", "{n} invisible control character(s)"),
    "trailing": ("末尾の余分なデータ{n}件", "{n} piece(s) of data after the end"),
    "layer": ("表示切替{n}件", "{n} layer switch(es)"),
    "font": ("フォント{n}件", "{n} font(s)"),
    "image": ("読めない画像{n}件", "{n} unreadable picture(s)"),
    "part": ("内容の不明な部品{n}件", "{n} unknown part(s)"),
    "element": ("内容の不明な要素{n}件", "{n} unknown element(s)"),
    "file": ("受け取れないファイル{n}件", "{n} file(s) that cannot be accepted"),
}

WARNINGS: Final[dict[Warning_, tuple[str, str]]] = {
    "signature_void": (
        "電子署名は無効になりました。署名の確認が必要なときは、原本を別の方法で受け取ってください。",
        "The digital signature is no longer valid. To verify it, ask for the original by other means.",
    ),
    "macros_gone": ("マクロで動く機能は使えません。", "What the macros did no longer works."),
    "links_gone": ("ほかのファイルやウェブへのリンクは働きません。", "Links to other files or the web no longer work."),
    "formulas_quoted": ("数式に見えるセルは文字として残しました。", "Cells that look like formulas were kept as text."),
    "fonts_replaced": ("一部の文字は別のフォントで表示されます。", "Some text is shown in another font."),
    "animation_gone": ("動く画像は最初の1コマだけを残しました。", "Of a moving picture only the first frame was kept."),
    "layers_fixed": ("表示の切り替えは、開いたときの状態で固定しました。", "Layers are fixed as they were when it was opened."),
    "values_kept": ("外部を参照する数式は、計算結果の値だけを残しました。", "Of formulas that refer elsewhere only the values were kept."),
    "converted_from_old": (
        "古い形式から変換しました。レイアウトを確認してください。",
        "Converted from an old format; check the layout.",
    ),
    "parts_left_out": (
        "中のファイルの一部は受け取れないため、含まれていません。",
        "Some of the files in it could not be accepted and are left out.",
    ),
    "pages_are_pictures": (
        "ページを画像にしました。文字の検索やコピーはできません。",
        "Its pages are pictures; words cannot be searched or copied.",
    ),
    "pictures_gone": (
        "EMF・WMF形式の図は灰色の枠に置き換えました。必要なときは、図を画像(PNG)にして送り直してもらってください。",
        "EMF and WMF pictures were replaced by grey boxes; if they matter, ask for them as PNG.",
    ),
    "encoding_guessed": ("文字コードは推定です。文字化けがないか確認してください。", "The encoding was guessed; check the text."),
    "forms_fixed": ("入力フォームは、入力済みの見た目で固定しました。", "Forms are fixed as they were filled in."),
    "not_scanned": (
        "ウイルス対策ソフトが応答しなかったため、その検査だけは受けていません。",
        "The virus scanner did not answer: it has not looked at this file.",
    ),
    "no_preview": (
        "図面を画像にしたPDFは作れませんでした。図面はCADソフトで確認してください。",
        "No page (PDF) that shows the drawing could be made; look at the drawing with a CAD program.",
    ),
    "not_examined": (
        "中身は調べられませんでした。送り主と用途を確かめてください。",
        "What is in it could not be examined; make sure who sent it, and what for.",
    ),
}  # fmt: skip

_RESEND_PDF: Final = ("PDFまたはWord・Excel・PowerPoint(docx、xlsx、pptx)の形式で送り直してください。",
                      "Send it again as PDF or as docx, xlsx or pptx.")  # fmt: skip
_AGAIN: Final = ("元のアプリで開けるか確かめ、保存し直して送ってください。",
                 "See whether it opens in its own program, save it once more and send that.")  # fmt: skip
_OPERATOR: Final = ("時間をおいて送り直してください。続くときは担当者に伝えてください。",
                    "Send it again later; if that does not help, tell the person who asked you.")  # fmt: skip
_ASK: Final = (
    "別の形式や渡し方を、担当者にご相談ください。",
    "Ask the person who sent you the link for another form or another way.",
)
_WITHOUT_PASSWORD: Final = ("パスワードを外して送り直すか、パスワードを入力してください。",
                            "Send it again without a password, or give the password.")  # fmt: skip

REASONS: Final[dict[str, tuple[tuple[str, str], tuple[str, str]]]] = {
    "unknown": (("対応していない形式です。", "This kind of file is not supported."), _RESEND_PDF),
    "not_taken_apart": (
        ("安全に作り直せない形式です(一太郎、DocuWorksなど)。", "This format cannot be rebuilt safely (Ichitaro, DocuWorks, …)."),
        _RESEND_PDF,
    ),
    "executable": (
        ("プログラムは受け取れません。", "Programs are not accepted."),
        ("資料だけを送ってください。", "Send documents only."),
    ),
    "virus": (
        ("ウイルス対策ソフトが、危険なファイルと判定しました。", "The virus scanner found something in it."),
        ("お使いの端末を検査してから、別に作り直した資料を送ってください。", "Scan your own computer, then send a document made anew."),
    ),
    "not_scanned": (
        ("ウイルス対策ソフトが応答しないため、受け取れません。", "The virus scanner does not answer."), _OPERATOR,
    ),
    "broken": (("ファイルが壊れているか、途中で切れています。", "The file is damaged or cut off."), _AGAIN),
    "encrypted": (("パスワードで保護されていて開けません。", "It is protected by a password."), _WITHOUT_PASSWORD),
    "wrong_password": (("パスワードが違います。", "The password is wrong."), _WITHOUT_PASSWORD),
    "too_large": (
        ("展開すると大きすぎます。", "It unpacks to more than is accepted."),
        ("いくつかに分けて送り直してください。", "Send it again in several parts."),
    ),
    "too_many_pixels": (
        ("画像が大きすぎます(1億画素まで)。", "The picture is too large (100 megapixels at most)."),
        ("小さくして送り直してください。", "Make it smaller and send it again."),
    ),
    "too_many": (
        ("ページや中のファイルの数が多すぎます。", "It has too many pages or files in it."),
        ("いくつかに分けて送り直してください。", "Send it again in several parts."),
    ),
    "too_deep": (
        ("圧縮ファイルの入れ子が深すぎます。", "Archives lie too deep in each other."),
        ("入れ子にせず、一つの圧縮ファイルにまとめてください。", "Put the files into one archive."),
    ),
    "declares": (
        ("XMLの中に、処理を乗っ取るための宣言があります。", "Its XML has declarations that documents do not need."),
        _AGAIN,
    ),
    "ambiguous": (("中身が二通りに読める、作りの怪しいファイルです。", "It can be read in two ways, which documents cannot."), _AGAIN),
    "unsafe_path": (
        ("圧縮ファイルの中に、危険な保存先の指定があります。", "The archive names unsafe places."),
        ("圧縮し直して送ってください。", "Pack it again and send that."),
    ),
    "not_text": (
        ("文字コードが読み取れません。", "The text is in no known encoding."),
        ("UTF-8またはシフトJISで保存し直してください。", "Save it as UTF-8 or Shift_JIS."),
    ),
    "empty": (("中身がありません。", "There is nothing in it."), _AGAIN),
    "too_old": (
        ("古すぎる形式のため読み取れません。", "The format is too old to be read."),
        ("新しい形式で保存し直してください。", "Save it in a newer format."),
    ),
    "external": (
        ("ほかのファイルを読み込むつくりになっています。", "It is made of other files."),
        ("一つのファイルにまとめて保存し直してください。", "Save it as one file."),
    ),
    "protected": (("コピー防止の保護がかかっています。", "It is protected against copying."), _RESEND_PDF),
    "takes_too_long": (("処理に時間がかかりすぎます。", "It takes too long to process."),
                       ("いくつかに分けるか、PDFにして送り直してください。", "Send it in several parts, or as PDF.")),
    "crashed": (("読み取り中に処理が止まりました。", "Reading it failed."), _AGAIN),
    "check_failed": (
        ("作り直したファイルの点検で問題が見つかりました。", "The check of the rebuilt file found a problem."),
        _RESEND_PDF,
    ),
    "no_helper": (
        ("このサーバーには、この形式を変換する部品がありません。", "This server lacks the program that converts this format."),
        _RESEND_PDF,
    ),
    "no_output": (("変換できませんでした。", "It could not be converted."), _RESEND_PDF),
    "not_confined": (
        ("このサーバーでは、安全に処理する準備ができていません。", "This server is not able to process files safely."),
        _OPERATOR,
    ),
    "busy": (("いまは処理できませんでした。", "It could not be processed just now."), _OPERATOR),
    "not_asked_for": (
        ("この種類のファイルは、今回はお願いしていません。", "This kind of file was not asked for."),
        ("お願いした種類のファイルを送るか、担当者に確かめてください。", "Send what was asked for, or ask the person who sent you the link."),
    ),
    "needs_approval": (
        ("受け取るには、職員の承認が必要です。", "Somebody has to approve of it before it is accepted."),
        ("ほかのファイルとまとめずに、そのまま送ってください。", "Send it by itself, not together with other files."),
    ),
    "not_approved": (("承認されなかったため、受け取れません。", "It was not approved."), _ASK),
    "lapsed": (("承認されないまま期間が過ぎたため、受け取れません。", "Nobody approved of it in time."), _ASK),
    "by_policy": (
        ("この形式は受け取らない決まりです。", "By policy this format is not accepted."),
        _RESEND_PDF,
    ),
}  # fmt: skip
"""By code: what is wrong, and what to send instead."""


def finding(removed: Removed) -> tuple[str, str]:
    """「マクロ1件があります」, of a file that is or was to be handed over as it came."""
    ja, en = REMOVED[removed.object]
    name = f"({removed.name})" if removed.name else ""
    return (
        f"{ja.format(n=removed.count)}があります{name}",
        f"{en.format(n=removed.count)} in it{' ' + name if name else ''}",
    )


def sentence(removed: Removed) -> tuple[str, str]:
    """「マクロ1件を取り除きました」, and the same in English."""
    ja, en = REMOVED[removed.object]
    name = f"({removed.name})" if removed.name else ""
    return (
        f"{ja.format(n=removed.count)}を取り除きました{name}",
        f"{en.format(n=removed.count)} removed{' ' + name if name else ''}",
    )
