"""4000–4029: messages: writing, changing, scheduling and answering them."""

from __future__ import annotations

from typing import Final

from chat_server.domain.errors.fault import Fault

MESSAGE_NOT_FOUND: Final = Fault(
    4001,
    "message_not_found",
    404,
    "メッセージが見つかりません。",
    "There is no such message.",
)
MESSAGE_EMPTY: Final = Fault(
    4002,
    "message_empty",
    422,
    "本文か写真を入れてください。",
    "Write a text or add a photo.",
)
CLIENT_MSG_ID_REUSED: Final = Fault(
    4003,
    "client_msg_id_reused",
    409,
    "同じclient_msg_idが別の内容で使われています。",
    "This client_msg_id was used for another message.",
)
NOT_AUTHOR: Final = Fault(
    4004,
    "not_author",
    403,
    "自分のメッセージだけ変更できます。",
    "You can change your own messages only.",
)
VERSION_CONFLICT: Final = Fault(
    4005,
    "version_conflict",
    409,
    "別の端末で先に編集されています。最新の内容を確認してください。",
    "The message was edited elsewhere first. Look at its latest form.",
)
CANCEL_TOO_LATE: Final = Fault(
    4006,
    "cancel_too_late",
    409,
    "送信取消ができる時間を過ぎました。削除をご利用ください。",
    "It is too late to cancel this message. You can delete it instead.",
)
TEXT_TOO_LONG: Final = Fault(
    4007,
    "text_too_long",
    422,
    "本文は{limit}文字までです。",
    "A text has at most {limit} characters.",
)
MENTION_UNKNOWN: Final = Fault(
    4008,
    "mention_unknown",
    422,
    "メンション先がこのトークルームにいません。",
    "The person or department mentioned is not in this room.",
)
TOO_MANY_REACTIONS: Final = Fault(
    4009,
    "too_many_reactions",
    409,
    "リアクションの種類が多すぎます。すでにあるものを選んでください。",
    "This message has too many kinds of reactions. Choose one that is there.",
)
TOO_MANY_MENTIONS: Final = Fault(
    4010,
    "too_many_mentions",
    422,
    "メンションは1つのメッセージに{limit}件までです。全員に知らせるときは「全員」を選んでください。",
    "A message has at most {limit} mentions. Mention everyone to call the whole room.",
)
NOTHING_TO_PRESS: Final = Fault(
    4011,
    "nothing_to_press",
    409,
    "このボタンはもう使えません。最新の表示を確かめてください。",
    "This button is not there any more. Look at the message as it is now.",
)
FORM_CLOSED: Final = Fault(
    4012,
    "form_closed",
    409,
    "回答は締め切られました。",
    "This form takes no answers any more.",
)
NOTHING_TO_CONFIRM: Final = Fault(
    4013,
    "nothing_to_confirm",
    409,
    "この投稿は確認を求めていません。最新の表示を確かめてください。",
    "This message does not ask you to confirm it. Look at it as it is now.",
)
TOO_MANY_SCHEDULED: Final = Fault(
    4014,
    "too_many_scheduled",
    409,
    "予約できるのは{limit}件までです。予約の一覧から、不要なものを取り消してください。",
    "At most {limit} messages can wait to be sent. Take some of them back first.",
)
SCHEDULED_NOT_FOUND: Final = Fault(
    4015,
    "scheduled_not_found",
    404,
    "この予約はありません。送信されたか、取り消されています。",
    "There is no such scheduled message: it was sent, or taken back.",
)
SERVER_RESTORED: Final = Fault(
    4016,
    "server_restored",
    409,
    "サーバーが控えから復元されたため、送信しませんでした。すでに届いているかを確かめ、必要なら時刻を変えてください。",
    "The server was restored from a backup, so this was not sent. See whether it arrived before; if not, choose another time.",
)
BOT_TASK_GONE: Final = Fault(
    4017,
    "bot_task_gone",
    409,
    "この用件は、すでに済んだか、時間切れで別の相手に渡りました。次の用件を取り出してください。",
    "This task is done, or its time was over and somebody else has it. Take the next one.",
)
LEVEL_NOT_ALLOWED: Final = Fault(
    4018,
    "level_not_allowed",
    403,
    "この重要度で投稿する権限がありません。重要度を下げて投稿するか、管理者にお問い合わせください。",
    "You are not allowed to post at this level. Choose a lower one, or ask your administrator.",
)
