"""7100–7199: upload links, and the approval of files."""

from __future__ import annotations

from typing import Final

from chat_server.domain.errors.fault import Fault

LINK_GONE: Final = Fault(
    7101,
    "link_gone",
    404,
    "このリンクは使えません。期限が切れたか、使用済みか、取り消されています。リンクを送った担当者にお問い合わせください。",
    "This link is good no more: it has expired, was used, or was taken back. Ask the person who sent it to you.",
)
VISIT_OVER: Final = Fault(
    7102,
    "visit_over",
    404,
    "この画面の有効期間が過ぎました。届いたリンクをもう一度開いてください。",
    "This visit is over. Open the link that you were sent once more.",
)
LINK_NOT_FOUND: Final = Fault(
    7103,
    "link_not_found",
    404,
    "このリンクは見つかりません。一覧を開き直してください。",
    "There is no such link. Open the list again.",
)
LINKS_NOT_ALLOWED: Final = Fault(
    7104,
    "links_not_allowed",
    403,
    "団体のルールにより、ファイルを受け取るリンクを作れません。団体の管理者にご相談ください。",
    "Your organization's rules do not let you make upload links. Ask its administrators.",
)
LINK_NOT_YOURS: Final = Fault(
    7105,
    "link_not_yours",
    403,
    "このリンクを変更できるのは、作った人とトークルームの管理者だけです。",
    "Only whoever made this link, and the room's owners, can do this.",
)
TOO_MANY_LINKS: Final = Fault(
    7106,
    "too_many_links",
    409,
    "1つのトークルームで使えるリンクは{limit}件までです。使わないものを取り消してください。",
    "A room has at most {limit} links that are good. Take one back that is not needed.",
)
LINK_ENDED: Final = Fault(
    7107,
    "link_ended",
    409,
    "このリンクは終わっています。必要なときは再依頼してください。",
    "This link has ended. Ask again if something is missing.",
)
LINK_PIN_WRONG: Final = Fault(
    7108,
    "link_pin_wrong",
    403,
    "暗証番号が違います。あと{left}回間違えると、しばらく開けなくなります。",
    "The PIN is wrong. After {left} more wrong ones the link is locked for a while.",
)
LINK_PIN_LOCKED: Final = Fault(
    7109,
    "link_pin_locked",
    429,
    "暗証番号の間違いが続いたため、しばらく開けません。{retry_after}秒後にもう一度お試しください。",
    "Too many wrong PINs. Try again in {retry_after} seconds.",
)
LINK_CLOSED: Final = Fault(
    7110,
    "link_closed",
    409,
    "受け付けは終わりました。新しいファイルは追加できませんが、送り終えたものは届いています。",
    "Nothing more is accepted here. What you have sent already has arrived.",
)
LINK_FILES_FULL: Final = Fault(
    7111,
    "link_files_full",
    409,
    "このリンクで送れるファイルは{limit}件までです。いくつかを一つの圧縮ファイル(ZIP)にまとめてください。",
    "At most {limit} files can be sent by this link. Put some of them into one archive (ZIP).",
)
LINK_BYTES_FULL: Final = Fault(
    7112,
    "link_bytes_full",
    413,
    "このリンクで送れる大きさを超えます(残り{left})。担当者にご相談ください。",
    "This is more than can be sent by this link ({left} left). Ask the person who sent it to you.",
)
LINK_STILL_COMING: Final = Fault(
    7113,
    "link_still_coming",
    409,
    "まだ送信中のファイルがあります。終わるまで待つか、そのファイルを取り消してください。",
    "Some files are still on their way. Wait for them, or remove them.",
)
LINK_NOTHING_CAME: Final = Fault(
    7114,
    "link_nothing_came",
    409,
    "まだファイルが届いていません。ファイルを送ってから押してください。",
    "No file has arrived yet. Send your files first.",
)
LINK_NOT_SAFE: Final = Fault(
    7115,
    "link_not_safe",
    503,
    "いまはファイルを安全に受け取る準備ができていません。担当者にお知らせください。",
    "Files cannot be received safely at the moment. Tell the person who sent you the link.",
)
HELD_NOT_FOUND: Final = Fault(
    7116,
    "held_not_found",
    404,
    "承認待ちのファイルが見つかりません。一覧を開き直してください。",
    "There is no such file that waits for approval. Open the list again.",
)
HELD_DECIDED: Final = Fault(
    7117,
    "held_decided",
    409,
    "このファイルは、もう判断されています({who}、{state})。一覧を開き直してください。",
    "This file was decided already ({who}, {state}). Open the list again.",
)
HELD_OWN: Final = Fault(
    7118,
    "held_own",
    403,
    "自分が依頼した、または自分が送ったファイルは承認できません。ほかの承認者に頼んでください。",
    "You cannot decide about a file that you asked for or sent yourself. Ask somebody else who approves.",
)
NOT_APPROVER: Final = Fault(
    7119,
    "not_approver",
    403,
    "ファイルを承認できる役割がありません。団体の管理者にご相談ください。",
    "You have no role that approves files. Ask the administrators of your organization.",
)
NOT_INWARD: Final = Fault(
    7120,
    "not_inward",
    422,
    "この網の組には決まりを作れません。信頼度の低い網から高い網へ({zones})の向きで選んでください。",
    "There can be no rule for these zones. Choose a less trusted one, and a more trusted one to go into ({zones}).",
)
NAME_NOT_TAKEN: Final = Fault(
    7121,
    "name_not_taken",
    422,
    "この種類のファイル({ending})は受け取れません。次の種類で送り直してください: {kinds}。",
    "Files of this kind ({ending}) are not accepted. Send one of these instead: {kinds_en}.",
)
FILE_HELD: Final = Fault(
    7122,
    "file_held",
    403,
    "承認待ちのファイルです。団体の決まりにより、承認されるまでここでは開けません。",
    "This file waits for approval: by your organization's rules it cannot be opened here before that.",
)
NOT_OUTWARD: Final = Fault(
    7123,
    "not_outward",
    422,
    "持ち出しの決まりは、信頼度の高い網から低い網へ({zones})の向きで選んでください。",
    "A rule of what leaves goes from a more trusted zone to a less trusted one ({zones}).",
)
