"""Every error that a person or a client can meet, with its number.

The range says what to do (docs/protocol.md, section 5): 1xxx sign in, 2xxx–7xxx the request is wrong as it is,
8xxx try again later, 9xxx a fault of the server. Numbers never change and are never used twice. `docs/errors.md` is
generated from this table, and a test fails when the two differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Fault:
    """A kind of error. `ja` and `en` may hold `{param}` places and say what to do next."""

    code: int
    name: str
    status: int
    """the HTTP status of the same error"""
    ja: str
    en: str


class Problem(Exception):
    """A `Fault` that happened: which field, with which parameters."""

    def __init__(self, fault: Fault, field: str | None = None, **params: Any) -> None:
        super().__init__(f"{fault.code} {fault.name}" + (f" ({field})" if field else ""))
        self.fault = fault
        self.field = field
        self.params = params

    def as_dict(self) -> dict[str, Any]:
        """The wire form, the same over WebSocket and HTTP."""
        params = {"field": self.field or "", **self.params}
        return {
            "code": self.fault.code,
            "name": self.fault.name,
            "field": self.field,
            "params": self.params,
            "ja": _fill(self.fault.ja, params),
            "en": _fill(self.fault.en, params),
        }


class _Blank(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "…"


def _fill(text: str, params: dict[str, Any]) -> str:
    return text.format_map(_Blank(params))


FAULTS: Final[dict[int, Fault]] = {}


def _fault(code: int, name: str, status: int, ja: str, en: str) -> Fault:
    if code in FAULTS:
        raise AssertionError(f"error number {code} is used twice")
    fault = Fault(code, name, status, ja, en)
    FAULTS[code] = fault
    return fault


# 1xxx: who are you
SIGN_IN_FAILED = _fault(
    1001,
    "sign_in_failed",
    401,
    "団体、ユーザーIDまたはパスワードが違います。もう一度入力してください。",
    "The organization, login or password is wrong. Please try again.",
)
SIGN_IN_THROTTLED = _fault(
    1002,
    "sign_in_throttled",
    429,
    "失敗が続いたため、しばらくログインできません。{retry_after}秒後にもう一度お試しください。",
    "Too many failed attempts. Try again in {retry_after} seconds.",
)
NOT_SIGNED_IN = _fault(
    1003,
    "not_signed_in",
    401,
    "ログインしてください。",
    "Please sign in.",
)
TOKEN_INVALID = _fault(
    1004,
    "token_invalid",
    401,
    "ログインの有効期限が切れたか、正しくありません。もう一度ログインしてください。",
    "The sign-in has expired or is not valid. Please sign in again.",
)
REFRESH_REUSED = _fault(
    1005,
    "refresh_token_reused",
    401,
    "この端末のログインが二重に使われたため、安全のため終了しました。もう一度ログインしてください。",
    "This device's sign-in was used twice, so it was ended for safety. Please sign in again.",
)
FLOW_INVALID = _fault(
    1006,
    "sign_in_flow_invalid",
    401,
    "ログインの手順が途中で切れました。最初からやり直してください。",
    "The sign-in was interrupted. Please start again.",
)
TOKEN_IN_QUERY = _fault(
    1007,
    "token_in_query",
    400,
    "アドレスに秘密の値が含まれています。値はAuthorizationヘッダーで送ってください。",
    "A secret stands in the address. Send it in the Authorization header instead.",
)
ORIGIN_REFUSED = _fault(
    1008,
    "origin_refused",
    403,
    "このページからは接続できません。サーバーのアドレスを開き直してください。",
    "Connections from this page are refused. Open the server's own address.",
)
PASSWORD_WRONG = _fault(
    1009,
    "password_wrong",
    403,
    "現在のパスワードが違います。",
    "The current password is wrong.",
)

# 2xxx: the request itself
INVALID_FIELD = _fault(
    2001,
    "invalid_field",
    422,
    "「{field}」の値を確認してください({reason})。",
    "Check the value of “{field}” ({reason}).",
)
INVALID_BODY = _fault(
    2002,
    "invalid_body",
    400,
    "送られた内容を読み取れません({reason})。",
    "The request could not be read ({reason}).",
)
TOO_LARGE = _fault(
    2003,
    "too_large",
    413,
    "大きすぎます。上限は{limit}バイトです。",
    "Too large. The limit is {limit} bytes.",
)
UNKNOWN_OPERATION = _fault(
    2004,
    "unknown_operation",
    404,
    "この操作はありません。アプリを更新してください。",
    "There is no such operation. Update the client.",
)
METHOD_NOT_ALLOWED = _fault(
    2005,
    "method_not_allowed",
    405,
    "この操作はここでは使えません。",
    "This method is not available here.",
)
IDEMPOTENCY_REUSED = _fault(
    2006,
    "idempotency_key_reused",
    409,
    "同じIdempotency-Keyが別の内容で使われています。新しい値にしてください。",
    "This Idempotency-Key was used for another request. Use a new one.",
)
NOT_FOUND = _fault(
    2007,
    "not_found",
    404,
    "見つかりません。",
    "Not found.",
)
FORBIDDEN = _fault(
    2008,
    "forbidden",
    403,
    "この操作をする権限がありません。管理者にお問い合わせください。",
    "You are not allowed to do this. Ask your administrator.",
)
RESUME_TWICE = _fault(
    2009,
    "resume_twice",
    409,
    "この接続はすでに再開されています。",
    "This connection has resumed already.",
)
RESUME_FIRST = _fault(
    2010,
    "resume_first",
    409,
    "先にresumeを送ってください。",
    "Send resume first.",
)

API_VERSION = _fault(
    2020,
    "api_version",
    426,
    "このアプリは古すぎるか新しすぎて、サーバーと話せません(サーバーのAPIは版{oldest}〜{version}です)。アプリを更新してください。",
    "This app is too old or too new for the server (whose API is version {oldest} to {version}). Update the app.",
)

# 3xxx: rooms
ROOM_NOT_FOUND = _fault(
    3001,
    "room_not_found",
    404,
    "トークルームが見つかりません。",
    "There is no such room.",
)
ROOM_ARCHIVED = _fault(
    3002,
    "room_archived",
    409,
    "このトークルームは保管済みのため、変更できません。",
    "This room is archived and cannot be changed.",
)
ROOM_READ_ONLY = _fault(
    3003,
    "room_read_only",
    403,
    "このトークルームでは閲覧のみできます。",
    "You can only read in this room.",
)
ROOM_NOT_OWNER = _fault(
    3004,
    "room_not_owner",
    403,
    "トークルームの管理者だけができる操作です。",
    "Only an owner of the room can do this.",
)
ROOM_KIND_FORBIDS = _fault(
    3005,
    "room_kind_forbids",
    409,
    "この種類のトークルームではできない操作です。",
    "This kind of room does not allow this.",
)
LAST_OWNER = _fault(
    3006,
    "last_owner",
    409,
    "最後の管理者です。先に別のメンバーを管理者にしてください。",
    "You are the last owner. Make somebody else an owner first.",
)
MEMBER_NOT_FOUND = _fault(
    3007,
    "member_not_found",
    404,
    "その人はこのトークルームのメンバーではありません。",
    "That person is not a member of this room.",
)
ROOM_KIND_NOT_ALLOWED = _fault(
    3008,
    "room_kind_not_allowed",
    403,
    "この種類のトークルームを作る権限がありません。",
    "You are not allowed to create this kind of room.",
)
GUEST_NOT_ALLOWED = _fault(
    3009,
    "guest_not_allowed",
    403,
    "ゲストはこの操作をできません。",
    "Guests cannot do this.",
)
ORGANIZATION_NOT_OPEN = _fault(
    3010,
    "organization_not_open",
    409,
    "このトークルームは、その団体とは共有されていません。トークルームの管理者に共有を依頼してください。",
    "This room is not shared with that organization. Ask an owner of the room to offer it.",
)
ROOM_FULL = _fault(
    3011,
    "room_full",
    409,
    "メンバーは{limit}人までです。",
    "A room has at most {limit} members.",
)

OWNER_IS_HOME = _fault(
    3012,
    "owner_is_home",
    409,
    "管理者にできるのは、このトークルームを作った団体のメンバーだけです。",
    "Only members of the organization that made the room can own it.",
)

# 4xxx: messages
MESSAGE_NOT_FOUND = _fault(
    4001,
    "message_not_found",
    404,
    "メッセージが見つかりません。",
    "There is no such message.",
)
MESSAGE_EMPTY = _fault(
    4002,
    "message_empty",
    422,
    "本文か写真を入れてください。",
    "Write a text or add a photo.",
)
CLIENT_MSG_ID_REUSED = _fault(
    4003,
    "client_msg_id_reused",
    409,
    "同じclient_msg_idが別の内容で使われています。",
    "This client_msg_id was used for another message.",
)
NOT_AUTHOR = _fault(
    4004,
    "not_author",
    403,
    "自分のメッセージだけ変更できます。",
    "You can change your own messages only.",
)
VERSION_CONFLICT = _fault(
    4005,
    "version_conflict",
    409,
    "別の端末で先に編集されています。最新の内容を確認してください。",
    "The message was edited elsewhere first. Look at its latest form.",
)
CANCEL_TOO_LATE = _fault(
    4006,
    "cancel_too_late",
    409,
    "送信取消ができる時間を過ぎました。削除をご利用ください。",
    "It is too late to cancel this message. You can delete it instead.",
)
TEXT_TOO_LONG = _fault(
    4007,
    "text_too_long",
    422,
    "本文は{limit}文字までです。",
    "A text has at most {limit} characters.",
)
MENTION_UNKNOWN = _fault(
    4008,
    "mention_unknown",
    422,
    "メンション先がこのトークルームにいません。",
    "The person or department mentioned is not in this room.",
)
TOO_MANY_REACTIONS = _fault(
    4009,
    "too_many_reactions",
    409,
    "リアクションの種類が多すぎます。すでにあるものを選んでください。",
    "This message has too many kinds of reactions. Choose one that is there.",
)

TOO_MANY_MENTIONS = _fault(
    4010,
    "too_many_mentions",
    422,
    "メンションは1つのメッセージに{limit}件までです。全員に知らせるときは「全員」を選んでください。",
    "A message has at most {limit} mentions. Mention everyone to call the whole room.",
)

NOTHING_TO_PRESS = _fault(
    4011,
    "nothing_to_press",
    409,
    "このボタンはもう使えません。最新の表示を確かめてください。",
    "This button is not there any more. Look at the message as it is now.",
)
FORM_CLOSED = _fault(
    4012,
    "form_closed",
    409,
    "回答は締め切られました。",
    "This form takes no answers any more.",
)

NOTHING_TO_CONFIRM = _fault(
    4013,
    "nothing_to_confirm",
    409,
    "この投稿は確認を求めていません。最新の表示を確かめてください。",
    "This message does not ask you to confirm it. Look at it as it is now.",
)

TOO_MANY_SCHEDULED = _fault(
    4014,
    "too_many_scheduled",
    409,
    "予約できるのは{limit}件までです。予約の一覧から、不要なものを取り消してください。",
    "At most {limit} messages can wait to be sent. Take some of them back first.",
)
SCHEDULED_NOT_FOUND = _fault(
    4015,
    "scheduled_not_found",
    404,
    "この予約はありません。送信されたか、取り消されています。",
    "There is no such scheduled message: it was sent, or taken back.",
)
SERVER_RESTORED = _fault(
    4016,
    "server_restored",
    409,
    "サーバーが控えから復元されたため、送信しませんでした。すでに届いているかを確かめ、必要なら時刻を変えてください。",
    "The server was restored from a backup, so this was not sent. See whether it arrived before; if not, choose another time.",
)

BOT_TASK_GONE = _fault(
    4017,
    "bot_task_gone",
    409,
    "この用件は、すでに済んだか、時間切れで別の相手に渡りました。次の用件を取り出してください。",
    "This task is done, or its time was over and somebody else has it. Take the next one.",
)

LEVEL_NOT_ALLOWED = _fault(
    4018,
    "level_not_allowed",
    403,
    "この重要度で投稿する権限がありません。重要度を下げて投稿するか、管理者にお問い合わせください。",
    "You are not allowed to post at this level. Choose a lower one, or ask your administrator.",
)

NOTE_NOT_FOUND = _fault(
    4030,
    "note_not_found",
    404,
    "ノートが見つかりません。",
    "There is no such note.",
)
NOTE_VERSION_NOT_FOUND = _fault(
    4031,
    "note_version_not_found",
    404,
    "ノートのこの版はありません。",
    "The note has no such version.",
)
TOO_MANY_NOTES = _fault(
    4032,
    "too_many_notes",
    409,
    "ノートは1つのトークルームに{limit}件までです。使わないものを削除してください。",
    "A room has at most {limit} notes. Delete some that nobody needs.",
)
NOTE_TOO_LONG = _fault(
    4033,
    "note_too_long",
    422,
    "ノートの文章は全部で{limit}文字までです。続きは別のノートにしてください。",
    "The texts of a note have at most {limit} characters together. Go on in another note.",
)
NOTE_TOO_LARGE = _fault(
    4034,
    "note_too_large",
    422,
    "ノートの項目は{limit}件までです。続きは別のノートにしてください。",
    "A note has at most {limit} blocks. Go on in another note.",
)
TOO_MUCH_AT_ONCE = _fault(
    4035,
    "too_much_at_once",
    422,
    "一度に取り込める写真とファイルは{limit}件までです。何回かに分けてください。",
    "At most {limit} photos and files are taken over at once. Do it in several steps.",
)
NOTE_ENTRY_UNKNOWN = _fault(
    4036,
    "note_entry_unknown",
    422,
    "このノートに取り込まれていない投稿です。投稿を選んで取り込んでください。",
    "This note did not take over such a message. Choose the message and take it over.",
)
NOT_NOTE_OWNER = _fault(
    4037,
    "not_note_owner",
    403,
    "ノートを作成した人とトークルームの管理者だけができます。",
    "Only whoever made the note, and the room's owners, can do this.",
)
PRINTER_FAILED = _fault(
    4038,
    "printer_failed",
    422,
    "このノートはPDFにできませんでした。長すぎる場合は分けるか、ZIPで保存してください。",
    "This note could not be made into a PDF. If it is very long, divide it, or save it as a ZIP.",
)
PRINTER_MISSING = _fault(
    4039,
    "printer_missing",
    422,
    "このサーバーではPDFを作れません。ZIPで保存するか、管理者にお知らせください(libpangoが必要です)。",
    "This server cannot make PDFs. Save the note as a ZIP, or tell your administrator: libpango is missing.",
)

NOTE_EXPORT_TOO_LARGE = _fault(
    4040,
    "note_export_too_large",
    413,
    "写真とファイルの合計が{limit}バイトを超えるため、ZIPにできません。ノートを分けるか、ファイルを1つずつ保存してください。",
    "The photos and files together are more than {limit} bytes. Divide the note, or save them one by one.",
)

# 5xxx: files
ATTACHMENT_NOT_FOUND = _fault(
    5001,
    "attachment_not_found",
    404,
    "添付が見つかりません。",
    "There is no such attachment.",
)
NOT_A_PHOTO = _fault(
    5002,
    "not_a_photo",
    415,
    "写真として読み取れない形式です。JPEG、PNG、WebP、GIF、HEICをお送りください。",
    "This is not a photo. Send JPEG, PNG, WebP, GIF or HEIC.",
)
PHOTO_BROKEN = _fault(
    5003,
    "photo_broken",
    422,
    "写真が壊れているか、途中で切れています。もう一度送ってください。",
    "The photo is broken or cut off. Please send it again.",
)
PHOTO_TOO_MANY_PIXELS = _fault(
    5004,
    "photo_too_many_pixels",
    422,
    "写真の画素数が上限({limit}画素)を超えています。小さくしてお送りください。",
    "The photo has more than {limit} pixels. Send a smaller one.",
)
FILE_REFUSED_BY_ZONE = _fault(
    5005,
    "file_refused_by_zone",
    403,
    "この添付は、お使いのネットワークからは開けません。",
    "This attachment cannot be opened from your network.",
)
ADDRESS_EXPIRED = _fault(
    5006,
    "address_expired",
    404,
    "このアドレスは期限切れです。画面を開き直してください。",
    "This address has expired. Reload the page.",
)
ATTACHMENT_USED = _fault(
    5007,
    "attachment_used",
    409,
    "この添付はすでに送信されています。",
    "This attachment has been sent already.",
)
UPLOAD_NOT_FOUND = _fault(
    5008,
    "upload_not_found",
    404,
    "このアップロードは見つかりません。取り消されたか、期限切れです。最初から送り直してください。",
    "There is no such upload: it was cancelled, or its time is over. Send the file again from the beginning.",
)
UPLOAD_OFFSET = _fault(
    5009,
    "upload_offset",
    409,
    "続きの位置が違います。サーバーには{offset}バイト届いています。そこから送ってください。",
    "The upload does not go on there: {offset} bytes have arrived. Send what comes after them.",
)
UPLOAD_CHECKSUM = _fault(
    5010,
    "upload_checksum",
    460,
    "途中でデータが変わってしまいました。この部分をもう一度送ってください。",
    "The bytes changed on their way. Send this part again.",
)
FILE_TOO_LARGE = _fault(
    5011,
    "file_too_large",
    413,
    "ファイルが大きすぎます。上限は{limit}バイトです。分けてお送りください。",
    "The file is too large: at most {limit} bytes. Send it in parts.",
)
TOO_MANY_UPLOADS = _fault(
    5012,
    "too_many_uploads",
    429,
    "送信途中のファイルが{limit}件あります。どれかが終わるか、取り消してから送ってください。",
    "{limit} uploads of yours are under way. Wait for one to end, or cancel one.",
)
UPLOAD_BUSY = _fault(
    5013,
    "upload_busy",
    423,
    "このファイルは別の接続で送信中です。少し待ってから続けてください。",
    "Another request is sending this file. Wait a moment, then go on.",
)
UPLOAD_VERSION = _fault(
    5014,
    "upload_version",
    412,
    "このアップロードの方式には対応していません。tus 1.0.0をお使いください。",
    "This way of uploading is not known here. Use tus 1.0.0 (header Tus-Resumable).",
)
UPLOAD_TYPE = _fault(
    5015,
    "upload_type",
    415,
    "Content-Typeはapplication/offset+octet-streamにしてください。",
    "Send the bytes as application/offset+octet-stream.",
)
FILE_NOT_SANITIZED = _fault(
    5016,
    "file_not_sanitized",
    403,
    "このファイルは信頼度の低いネットワークから届いたため、無害化が済むまでここでは開けません。届いたネットワークの端末で開いてください。",
    "This file came in by a less trusted network. Here it can be opened only once it has been disarmed; open it on a device in the network where it came in.",
)
PERSON_FULL = _fault(
    5017,
    "person_full",
    413,
    "あなたが送れるファイルの合計({limit})を超えます。残りは{left}です。不要な送信途中のファイルを取り消すか、管理者にご相談ください。",
    "This is more than you may bring in ({limit} in all; {left} are left). Cancel uploads that you do not need, or ask your administrator.",
)
ORGANIZATION_FULL = _fault(
    5018,
    "organization_full",
    413,
    "団体のファイルの合計({limit})を超えます。残りは{left}です。管理者にご連絡ください。",
    "This is more than your organization may keep ({limit} in all; {left} are left). Tell your administrator.",
)
NO_REPORT = _fault(
    5019,
    "no_report",
    404,
    "このファイルには報告がありません。作り直されたか、承認を得て原本のまま渡されたファイルだけにあります。",
    "There is no report of this file. Only files that were rebuilt, or handed over as they came after approval, have one.",
)
NO_PAGES = _fault(
    5020,
    "no_pages",
    422,
    "このファイルにはページがありません。PDF・Office文書・図面だけを、ページの画像にできます。",
    "This file has no pages. Only PDF, Office documents and drawings can become pictures of their pages.",
)
FILE_NEEDS_APPROVAL = _fault(
    5021,
    "file_needs_approval",
    403,
    "この添付をお使いの網で保存するには、承認が必要です。開いて、「持ち出しを申請」を押してください。",
    "Saving this attachment in your network takes an approval. Open it, and choose “Ask to take it out”.",
)
NO_TAKEOUT = _fault(
    5022,
    "no_takeout",
    409,
    "この添付には持ち出しの申請がいりません、またはここでは申請できません。画面を開き直してください。",
    "There is no approval to ask for here: this attachment needs none, or nobody can give one. Open it again.",
)
TAKEOUT_NOT_FOUND = _fault(
    5023,
    "takeout_not_found",
    404,
    "持ち出しの申請が見つかりません。一覧を開き直してください。",
    "Nobody asks to take this out, or you cannot decide about it. Open the list again.",
)
TAKEOUT_DECIDED = _fault(
    5024,
    "takeout_decided",
    409,
    "この申請は、もう判断されています({who}、{state})。一覧を開き直してください。",
    "This was decided already ({who}, {state}). Open the list again.",
)
TAKEOUT_OWN = _fault(
    5025,
    "takeout_own",
    403,
    "自分の申請は承認できません。ほかの承認者に頼んでください。",
    "You cannot decide about what you asked for yourself. Ask somebody else who approves.",
)
TAKEOUT_OUTSIDE = _fault(
    5026,
    "takeout_outside",
    403,
    "持ち出しは、ファイルと同じ網にある端末でだけ判断できます。庁内の端末から判断してください。",
    "This is decided in the network that the file is in. Do it at a desk there.",
)
FILE_REFUSED_BY_DEVICE = _fault(
    5030,
    "file_refused_by_device",
    403,
    "団体の決まりにより、この端末ではこのファイルを開けません。別の端末で開いてください。",
    "Your organization does not let this device open the file. Open it on another device.",
)

# 6xxx: people and organizations
PERSON_NOT_FOUND = _fault(
    6001,
    "person_not_found",
    404,
    "その人は見つかりません。",
    "There is no such person.",
)
LOGIN_TAKEN = _fault(
    6002,
    "login_taken",
    409,
    "ユーザーID「{login}」はすでに使われています。",
    "The login “{login}” is taken.",
)
PASSWORD_WEAK = _fault(
    6003,
    "password_weak",
    422,
    "パスワードは{limit}文字以上にし、よく使われるものを避けてください。",
    "A password needs at least {limit} characters and must not be a common one.",
)
ORGANIZATION_NOT_FOUND = _fault(
    6004,
    "organization_not_found",
    404,
    "団体「{organization}」がありません。",
    "There is no organization “{organization}”.",
)
DEVICE_NOT_FOUND = _fault(
    6005,
    "device_not_found",
    404,
    "その端末はありません。",
    "There is no such device.",
)
CSV_INVALID = _fault(
    6006,
    "csv_invalid",
    422,
    "CSVの{line}行目「{field}」を直してください({reason})。",
    "Fix line {line} of the CSV, “{field}” ({reason}).",
)
ORGANIZATION_TAKEN = _fault(
    6007,
    "organization_taken",
    409,
    "団体コード「{organization}」はすでに使われています。",
    "The organization code “{organization}” is taken.",
)
DEPARTMENT_NOT_FOUND = _fault(
    6008,
    "department_not_found",
    404,
    "所属「{department}」がありません。",
    "There is no department “{department}”.",
)
ACCOUNT_DISABLED = _fault(
    6009,
    "account_disabled",
    403,
    "このアカウントは停止されています。管理者にお問い合わせください。",
    "This account is disabled. Ask your administrator.",
)

BOT_TAKEN = _fault(
    6010,
    "bot_taken",
    409,
    "ボット「{name}」はすでにあります。トークンは「renraku bot move」で作り直せます。",
    "There is a bot “{name}” already. `renraku bot move` makes a new token for it.",
)
BOT_NOT_FOUND = _fault(
    6011,
    "bot_not_found",
    404,
    "ボット「{name}」がありません。一覧は「renraku bot list」で確かめられます。",
    "There is no bot “{name}”. `renraku bot list` names them all.",
)
STAFF_CHANGED = _fault(
    6012,
    "staff_changed",
    409,
    "差分を表示した後に、ファイルか名簿が変わりました。差分をもう一度表示して、確かめてから取り込んでください。",
    "The file or the staff changed after the difference was shown. Show it again, and look at it before you import.",
)
OWN_ACCOUNT = _fault(
    6013,
    "own_account",
    409,
    "自分のアカウントは停止できません。ほかの管理者か運用者に依頼してください。職員ファイルの場合は、自分の行を残してください。",
    "Nobody disables their own account. Ask another administrator or the operator; in a staff file, leave your own row.",
)
TOO_MANY_DEVICES = _fault(
    6020,
    "too_many_devices",
    403,
    "使える端末は{limit}台までです。ほかの端末でログアウトするか、管理者に古い端末のログアウトを依頼してください。",
    "You may use up to {limit} devices. Sign out on another one, or ask your administrator to sign an old one out.",
)
DEVICE_WAITS = _fault(
    6021,
    "device_waits",
    403,
    "この端末は管理者の承認を待っています。承認されると使えるようになります。",
    "This device waits for an administrator’s approval. It can be used once it is approved.",
)
DEVICE_TO_WIPE = _fault(
    6022,
    "device_to_wipe",
    403,
    "この端末のデータを消すよう求められています。アプリが端末のデータを消して、終わったことを知らせます。",
    "This device was asked to clear its data. The app clears it and says when it is done.",
)
DEVICE_NOT_HERE = _fault(
    6023,
    "device_not_here",
    403,
    "団体の決まりにより、この端末はこのネットワークからは使えません。管理者にお問い合わせください。",
    "Your organization does not let this device come from this network. Ask your administrator.",
)

# 7xxx: webhooks
HOOK_NOT_FOUND = _fault(
    7001,
    "hook_not_found",
    404,
    "Webhookが見つかりません。アドレス、署名、時刻を確かめてください。",
    "There is no such webhook. Look at its address, the signature and the clock.",
)
HOOKS_NOT_ALLOWED = _fault(
    7002,
    "hooks_not_allowed",
    403,
    "団体のルールにより、Webhookを使えません。団体の管理者にご相談ください。",
    "Your organization's rules do not let you use webhooks. Ask its administrators.",
)
TOO_MANY_HOOKS = _fault(
    7003,
    "too_many_hooks",
    409,
    "1つのトークルームのWebhookは{limit}件までです。使わないものを削除してください。",
    "A room has at most {limit} webhooks. Remove one that is not used.",
)
HOOK_URL_REFUSED = _fault(
    7004,
    "hook_url_refused",
    422,
    "この送信先は使えません({reason})。",
    "This address cannot be used ({reason}).",
)
HOOK_UNREACHABLE = _fault(
    7010,
    "hook_unreachable",
    409,
    "送信先のサーバーにつながりません。",
    "The other server cannot be reached.",
)
HOOK_ADDRESS_REFUSED = _fault(
    7011,
    "hook_address_refused",
    409,
    "送信先の名前が、送信を許可していないネットワークを指しています。運用者にご相談ください。",
    "The other server's name leads into a network that nothing may be sent to. Ask the operator.",
)
HOOK_TLS = _fault(
    7012,
    "hook_tls",
    409,
    "送信先の証明書を確かめられません。",
    "The other server's certificate cannot be verified.",
)
HOOK_TIMEOUT = _fault(
    7013,
    "hook_timeout",
    409,
    "送信先が時間内に応答しません。",
    "The other server does not answer in time.",
)
HOOK_CUT = _fault(
    7014,
    "hook_cut",
    409,
    "送信先が応答の前に接続を切りました。",
    "The other server closed the connection before it answered.",
)
HOOK_REFUSED = _fault(
    7015,
    "hook_refused",
    409,
    "送信先が受け取りませんでした(HTTP {status})。",
    "The other server did not take it (HTTP {status}).",
)
HOOK_RESTORED = _fault(
    7016,
    "hook_restored",
    409,
    "サーバーが控えから復元されたため、送信を止めました。届いているかを確かめ、必要なら再送してください。",
    "The server was restored from a backup, so nothing was sent. See whether it arrived before; if not, send it again.",
)

# 71xx: upload links
LINK_GONE = _fault(
    7101,
    "link_gone",
    404,
    "このリンクは使えません。期限が切れたか、使用済みか、取り消されています。リンクを送った担当者にお問い合わせください。",
    "This link is good no more: it has expired, was used, or was taken back. Ask the person who sent it to you.",
)
VISIT_OVER = _fault(
    7102,
    "visit_over",
    404,
    "この画面の有効期間が過ぎました。届いたリンクをもう一度開いてください。",
    "This visit is over. Open the link that you were sent once more.",
)
LINK_NOT_FOUND = _fault(
    7103,
    "link_not_found",
    404,
    "このリンクは見つかりません。一覧を開き直してください。",
    "There is no such link. Open the list again.",
)
LINKS_NOT_ALLOWED = _fault(
    7104,
    "links_not_allowed",
    403,
    "団体のルールにより、ファイルを受け取るリンクを作れません。団体の管理者にご相談ください。",
    "Your organization's rules do not let you make upload links. Ask its administrators.",
)
LINK_NOT_YOURS = _fault(
    7105,
    "link_not_yours",
    403,
    "このリンクを変更できるのは、作った人とトークルームの管理者だけです。",
    "Only whoever made this link, and the room's owners, can do this.",
)
TOO_MANY_LINKS = _fault(
    7106,
    "too_many_links",
    409,
    "1つのトークルームで使えるリンクは{limit}件までです。使わないものを取り消してください。",
    "A room has at most {limit} links that are good. Take one back that is not needed.",
)
LINK_ENDED = _fault(
    7107,
    "link_ended",
    409,
    "このリンクは終わっています。必要なときは再依頼してください。",
    "This link has ended. Ask again if something is missing.",
)
LINK_PIN_WRONG = _fault(
    7108,
    "link_pin_wrong",
    403,
    "暗証番号が違います。あと{left}回間違えると、しばらく開けなくなります。",
    "The PIN is wrong. After {left} more wrong ones the link is locked for a while.",
)
LINK_PIN_LOCKED = _fault(
    7109,
    "link_pin_locked",
    429,
    "暗証番号の間違いが続いたため、しばらく開けません。{retry_after}秒後にもう一度お試しください。",
    "Too many wrong PINs. Try again in {retry_after} seconds.",
)
LINK_CLOSED = _fault(
    7110,
    "link_closed",
    409,
    "受け付けは終わりました。新しいファイルは追加できませんが、送り終えたものは届いています。",
    "Nothing more is accepted here. What you have sent already has arrived.",
)
LINK_FILES_FULL = _fault(
    7111,
    "link_files_full",
    409,
    "このリンクで送れるファイルは{limit}件までです。いくつかを一つの圧縮ファイル(ZIP)にまとめてください。",
    "At most {limit} files can be sent by this link. Put some of them into one archive (ZIP).",
)
LINK_BYTES_FULL = _fault(
    7112,
    "link_bytes_full",
    413,
    "このリンクで送れる大きさを超えます(残り{left})。担当者にご相談ください。",
    "This is more than can be sent by this link ({left} left). Ask the person who sent it to you.",
)
LINK_STILL_COMING = _fault(
    7113,
    "link_still_coming",
    409,
    "まだ送信中のファイルがあります。終わるまで待つか、そのファイルを取り消してください。",
    "Some files are still on their way. Wait for them, or remove them.",
)
LINK_NOTHING_CAME = _fault(
    7114,
    "link_nothing_came",
    409,
    "まだファイルが届いていません。ファイルを送ってから押してください。",
    "No file has arrived yet. Send your files first.",
)
LINK_NOT_SAFE = _fault(
    7115,
    "link_not_safe",
    503,
    "いまはファイルを安全に受け取る準備ができていません。担当者にお知らせください。",
    "Files cannot be received safely at the moment. Tell the person who sent you the link.",
)
HELD_NOT_FOUND = _fault(
    7116,
    "held_not_found",
    404,
    "承認待ちのファイルが見つかりません。一覧を開き直してください。",
    "There is no such file that waits for approval. Open the list again.",
)
HELD_DECIDED = _fault(
    7117,
    "held_decided",
    409,
    "このファイルは、もう判断されています({who}、{state})。一覧を開き直してください。",
    "This file was decided already ({who}, {state}). Open the list again.",
)
HELD_OWN = _fault(
    7118,
    "held_own",
    403,
    "自分が依頼した、または自分が送ったファイルは承認できません。ほかの承認者に頼んでください。",
    "You cannot decide about a file that you asked for or sent yourself. Ask somebody else who approves.",
)
NOT_APPROVER = _fault(
    7119,
    "not_approver",
    403,
    "ファイルを承認できる役割がありません。団体の管理者にご相談ください。",
    "You have no role that approves files. Ask the administrators of your organization.",
)
NOT_INWARD = _fault(
    7120,
    "not_inward",
    422,
    "この網の組には決まりを作れません。信頼度の低い網から高い網へ({zones})の向きで選んでください。",
    "There can be no rule for these zones. Choose a less trusted one, and a more trusted one to go into ({zones}).",
)
NAME_NOT_TAKEN = _fault(
    7121,
    "name_not_taken",
    422,
    "この種類のファイル({ending})は受け取れません。次の種類で送り直してください: {kinds}。",
    "Files of this kind ({ending}) are not accepted. Send one of these instead: {kinds_en}.",
)
FILE_HELD = _fault(
    7122,
    "file_held",
    403,
    "承認待ちのファイルです。団体の決まりにより、承認されるまでここでは開けません。",
    "This file waits for approval: by your organization's rules it cannot be opened here before that.",
)
NOT_OUTWARD = _fault(
    7123,
    "not_outward",
    422,
    "持ち出しの決まりは、信頼度の高い網から低い網へ({zones})の向きで選んでください。",
    "A rule of what leaves goes from a more trusted zone to a less trusted one ({zones}).",
)

# 8xxx: later
DATABASE_BUSY = _fault(
    8001,
    "database_busy",
    503,
    "混み合っています。{retry_after}秒後にもう一度お試しください。",
    "The server is busy. Try again in {retry_after} seconds.",
)
DISK_FULL = _fault(
    8002,
    "disk_full",
    507,
    "サーバーの空き容量が足りないため保存できません。管理者にお知らせください。空きができると自動で元に戻ります。",
    "The server's disk is full, nothing was saved. Tell your administrator; it heals by itself once there is room.",
)
DECODER_BUSY = _fault(
    8003,
    "decoder_busy",
    503,
    "写真の処理が混み合っています。少し待ってもう一度お試しください。",
    "Photo processing is busy. Try again in a moment.",
)
RESTARTING = _fault(
    8004,
    "restarting",
    503,
    "サーバーを再起動しています。自動で接続し直します。",
    "The server is restarting. Clients reconnect by themselves.",
)
RATE_LIMITED = _fault(
    8005,
    "rate_limited",
    429,
    "操作が速すぎます。{retry_after}秒後にもう一度お試しください。",
    "Too fast. Try again in {retry_after} seconds.",
)
SENDS_IN_PROGRESS = _fault(
    8006,
    "request_in_progress",
    409,
    "同じ操作を処理中です。少し待ってください。",
    "The same request is being handled. Wait a moment.",
)

FILE_STORE_BUSY = _fault(
    8007,
    "file_store_busy",
    503,
    "ファイルの保存先から応答がありません。{retry_after}秒後にもう一度お試しください。",
    "The place where files are kept does not answer. Try again in {retry_after} seconds.",
)

PRINTER_BUSY = _fault(
    8008,
    "printer_busy",
    503,
    "PDFの作成が混み合っています。{retry_after}秒後にもう一度お試しください。",
    "Several notes are being made into PDFs. Try again in {retry_after} seconds.",
)

# 9xxx: the server's own fault
INTERNAL = _fault(
    9001,
    "internal",
    500,
    "サーバーで問題が起きました。番号{trace}を管理者にお知らせください。",
    "Something went wrong in the server. Tell your administrator the number {trace}.",
)
STORAGE_BROKEN = _fault(
    9002,
    "storage_broken",
    503,
    "保存先に異常があるため停止します。管理者にお知らせください。",
    "The storage has failed and the server stops. Tell your administrator.",
)
