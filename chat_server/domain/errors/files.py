"""5000–5999: files: photos, uploads, and who may open what."""

from __future__ import annotations

from typing import Final

from chat_server.domain.errors.fault import Fault

ATTACHMENT_NOT_FOUND: Final = Fault(
    5001,
    "attachment_not_found",
    404,
    "添付が見つかりません。",
    "There is no such attachment.",
)
NOT_A_PHOTO: Final = Fault(
    5002,
    "not_a_photo",
    415,
    "写真として読み取れない形式です。JPEG、PNG、WebP、GIF、HEICをお送りください。",
    "This is not a photo. Send JPEG, PNG, WebP, GIF or HEIC.",
)
PHOTO_BROKEN: Final = Fault(
    5003,
    "photo_broken",
    422,
    "写真が壊れているか、途中で切れています。もう一度送ってください。",
    "The photo is broken or cut off. Please send it again.",
)
PHOTO_TOO_MANY_PIXELS: Final = Fault(
    5004,
    "photo_too_many_pixels",
    422,
    "写真の画素数が上限({limit}画素)を超えています。小さくしてお送りください。",
    "The photo has more than {limit} pixels. Send a smaller one.",
)
FILE_REFUSED_BY_ZONE: Final = Fault(
    5005,
    "file_refused_by_zone",
    403,
    "この添付は、お使いのネットワークからは開けません。",
    "This attachment cannot be opened from your network.",
)
ADDRESS_EXPIRED: Final = Fault(
    5006,
    "address_expired",
    404,
    "このアドレスは期限切れです。画面を開き直してください。",
    "This address has expired. Reload the page.",
)
ATTACHMENT_USED: Final = Fault(
    5007,
    "attachment_used",
    409,
    "この添付はすでに送信されています。",
    "This attachment has been sent already.",
)
UPLOAD_NOT_FOUND: Final = Fault(
    5008,
    "upload_not_found",
    404,
    "このアップロードは見つかりません。取り消されたか、期限切れです。最初から送り直してください。",
    "There is no such upload: it was cancelled, or its time is over. Send the file again from the beginning.",
)
UPLOAD_OFFSET: Final = Fault(
    5009,
    "upload_offset",
    409,
    "続きの位置が違います。サーバーには{offset}バイト届いています。そこから送ってください。",
    "The upload does not go on there: {offset} bytes have arrived. Send what comes after them.",
)
UPLOAD_CHECKSUM: Final = Fault(
    5010,
    "upload_checksum",
    460,
    "途中でデータが変わってしまいました。この部分をもう一度送ってください。",
    "The bytes changed on their way. Send this part again.",
)
FILE_TOO_LARGE: Final = Fault(
    5011,
    "file_too_large",
    413,
    "ファイルが大きすぎます。上限は{limit}バイトです。分けてお送りください。",
    "The file is too large: at most {limit} bytes. Send it in parts.",
)
TOO_MANY_UPLOADS: Final = Fault(
    5012,
    "too_many_uploads",
    429,
    "送信途中のファイルが{limit}件あります。どれかが終わるか、取り消してから送ってください。",
    "{limit} uploads of yours are under way. Wait for one to end, or cancel one.",
)
UPLOAD_BUSY: Final = Fault(
    5013,
    "upload_busy",
    423,
    "このファイルは別の接続で送信中です。少し待ってから続けてください。",
    "Another request is sending this file. Wait a moment, then go on.",
)
UPLOAD_VERSION: Final = Fault(
    5014,
    "upload_version",
    412,
    "このアップロードの方式には対応していません。tus 1.0.0をお使いください。",
    "This way of uploading is not known here. Use tus 1.0.0 (header Tus-Resumable).",
)
UPLOAD_TYPE: Final = Fault(
    5015,
    "upload_type",
    415,
    "Content-Typeはapplication/offset+octet-streamにしてください。",
    "Send the bytes as application/offset+octet-stream.",
)
FILE_NOT_SANITIZED: Final = Fault(
    5016,
    "file_not_sanitized",
    403,
    "このファイルは信頼度の低いネットワークから届いたため、無害化が済むまでここでは開けません。届いたネットワークの端末で開いてください。",
    "This file came in by a less trusted network. Here it can be opened only once it has been disarmed; open it on a device in the network where it came in.",
)
PERSON_FULL: Final = Fault(
    5017,
    "person_full",
    413,
    "あなたが送れるファイルの合計({limit})を超えます。残りは{left}です。不要な送信途中のファイルを取り消すか、管理者にご相談ください。",
    "This is more than you may bring in ({limit} in all; {left} are left). Cancel uploads that you do not need, or ask your administrator.",
)
ORGANIZATION_FULL: Final = Fault(
    5018,
    "organization_full",
    413,
    "団体のファイルの合計({limit})を超えます。残りは{left}です。管理者にご連絡ください。",
    "This is more than your organization may keep ({limit} in all; {left} are left). Tell your administrator.",
)
NO_REPORT: Final = Fault(
    5019,
    "no_report",
    404,
    "このファイルには報告がありません。作り直されたか、承認を得て原本のまま渡されたファイルだけにあります。",
    "There is no report of this file. Only files that were rebuilt, or handed over as they came after approval, have one.",
)
NO_PAGES: Final = Fault(
    5020,
    "no_pages",
    422,
    "このファイルにはページがありません。PDF・Office文書・図面だけを、ページの画像にできます。",
    "This file has no pages. Only PDF, Office documents and drawings can become pictures of their pages.",
)
FILE_NEEDS_APPROVAL: Final = Fault(
    5021,
    "file_needs_approval",
    403,
    "この添付をお使いの網で保存するには、承認が必要です。開いて、「持ち出しを申請」を押してください。",
    "Saving this attachment in your network takes an approval. Open it, and choose “Ask to take it out”.",
)
NO_TAKEOUT: Final = Fault(
    5022,
    "no_takeout",
    409,
    "この添付には持ち出しの申請がいりません、またはここでは申請できません。画面を開き直してください。",
    "There is no approval to ask for here: this attachment needs none, or nobody can give one. Open it again.",
)
TAKEOUT_NOT_FOUND: Final = Fault(
    5023,
    "takeout_not_found",
    404,
    "持ち出しの申請が見つかりません。一覧を開き直してください。",
    "Nobody asks to take this out, or you cannot decide about it. Open the list again.",
)
TAKEOUT_DECIDED: Final = Fault(
    5024,
    "takeout_decided",
    409,
    "この申請は、もう判断されています({who}、{state})。一覧を開き直してください。",
    "This was decided already ({who}, {state}). Open the list again.",
)
TAKEOUT_OWN: Final = Fault(
    5025,
    "takeout_own",
    403,
    "自分の申請は承認できません。ほかの承認者に頼んでください。",
    "You cannot decide about what you asked for yourself. Ask somebody else who approves.",
)
TAKEOUT_OUTSIDE: Final = Fault(
    5026,
    "takeout_outside",
    403,
    "持ち出しは、ファイルと同じ網にある端末でだけ判断できます。庁内の端末から判断してください。",
    "This is decided in the network that the file is in. Do it at a desk there.",
)
OUTFLOW_OUTSIDE: Final = Fault(
    5027,
    "outflow_outside",
    403,
    "ファイルの持ち出しの設定は、庁内の端末でだけゆるめられます。庁内の端末から変更してください。",
    "What leaves the office network is widened at a desk there alone. Change it there.",
)
FILE_REFUSED_BY_DEVICE: Final = Fault(
    5030,
    "file_refused_by_device",
    403,
    "団体の決まりにより、この端末ではこのファイルを開けません。別の端末で開いてください。",
    "Your organization does not let this device open the file. Open it on another device.",
)
