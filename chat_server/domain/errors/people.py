"""6000–6999: people, organizations, bots and devices."""

from __future__ import annotations

from typing import Final

from chat_server.domain.errors.fault import Fault

PERSON_NOT_FOUND: Final = Fault(
    6001,
    "person_not_found",
    404,
    "その人は見つかりません。",
    "There is no such person.",
)
LOGIN_TAKEN: Final = Fault(
    6002,
    "login_taken",
    409,
    "ユーザーID「{login}」はすでに使われています。",
    "The login “{login}” is taken.",
)
PASSWORD_WEAK: Final = Fault(
    6003,
    "password_weak",
    422,
    "パスワードは{limit}文字以上にし、よく使われるものを避けてください。",
    "A password needs at least {limit} characters and must not be a common one.",
)
ORGANIZATION_NOT_FOUND: Final = Fault(
    6004,
    "organization_not_found",
    404,
    "団体「{organization}」がありません。",
    "There is no organization “{organization}”.",
)
DEVICE_NOT_FOUND: Final = Fault(
    6005,
    "device_not_found",
    404,
    "その端末はありません。",
    "There is no such device.",
)
CSV_INVALID: Final = Fault(
    6006,
    "csv_invalid",
    422,
    "CSVの{line}行目「{field}」を直してください({reason})。",
    "Fix line {line} of the CSV, “{field}” ({reason}).",
)
ORGANIZATION_TAKEN: Final = Fault(
    6007,
    "organization_taken",
    409,
    "団体コード「{organization}」はすでに使われています。",
    "The organization code “{organization}” is taken.",
)
DEPARTMENT_NOT_FOUND: Final = Fault(
    6008,
    "department_not_found",
    404,
    "所属「{department}」がありません。",
    "There is no department “{department}”.",
)
ACCOUNT_DISABLED: Final = Fault(
    6009,
    "account_disabled",
    403,
    "このアカウントは停止されています。管理者にお問い合わせください。",
    "This account is disabled. Ask your administrator.",
)
BOT_TAKEN: Final = Fault(
    6010,
    "bot_taken",
    409,
    "ボット「{name}」はすでにあります。トークンは「renraku bot move」で作り直せます。",
    "There is a bot “{name}” already. `renraku bot move` makes a new token for it.",
)
BOT_NOT_FOUND: Final = Fault(
    6011,
    "bot_not_found",
    404,
    "ボット「{name}」がありません。一覧は「renraku bot list」で確かめられます。",
    "There is no bot “{name}”. `renraku bot list` names them all.",
)
STAFF_CHANGED: Final = Fault(
    6012,
    "staff_changed",
    409,
    "差分を表示した後に、ファイルか名簿が変わりました。差分をもう一度表示して、確かめてから取り込んでください。",
    "The file or the staff changed after the difference was shown. Show it again, and look at it before you import.",
)
OWN_ACCOUNT: Final = Fault(
    6013,
    "own_account",
    409,
    "自分のアカウントは停止できません。ほかの管理者か運用者に依頼してください。職員ファイルの場合は、自分の行を残してください。",
    "Nobody disables their own account. Ask another administrator or the operator; in a staff file, leave your own row.",
)
TOO_MANY_DEVICES: Final = Fault(
    6020,
    "too_many_devices",
    403,
    "使える端末は{limit}台までです。ほかの端末でログアウトするか、管理者に古い端末のログアウトを依頼してください。",
    "You may use up to {limit} devices. Sign out on another one, or ask your administrator to sign an old one out.",
)
DEVICE_WAITS: Final = Fault(
    6021,
    "device_waits",
    403,
    "この端末は管理者の承認を待っています。承認されると使えるようになります。",
    "This device waits for an administrator’s approval. It can be used once it is approved.",
)
DEVICE_TO_WIPE: Final = Fault(
    6022,
    "device_to_wipe",
    403,
    "この端末のデータを消すよう求められています。アプリが端末のデータを消して、終わったことを知らせます。",
    "This device was asked to clear its data. The app clears it and says when it is done.",
)
DEVICE_NOT_HERE: Final = Fault(
    6023,
    "device_not_here",
    403,
    "団体の決まりにより、この端末はこのネットワークからは使えません。管理者にお問い合わせください。",
    "Your organization does not let this device come from this network. Ask your administrator.",
)
PUSH_RENEWAL_GONE: Final = Fault(
    6024,
    "push_renewal_gone",
    404,
    "通知の届け先を更新できません。アプリを開くと登録し直されます。",
    "Where this device is notified cannot be renewed like this. Open the app: it registers anew.",
)
