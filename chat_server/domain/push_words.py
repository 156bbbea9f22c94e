"""Why it rang or did not, in sentences, for whoever is asked by a colleague whose phone stayed silent."""

from __future__ import annotations

from typing import Final

PEOPLE: Final[dict[str, tuple[str, str]]] = {
    "": (
        "通知しました。端末ごとの結果は下のとおりです。",
        "They were rung; what became of it on each device stands below.",
    ),
    "off": (
        "このサーバーではプッシュ通知を使っていません(設定 push)。",
        "This server pushes nothing (setting `push`).",
    ),
    "not_yet": (
        "まだ処理していません。数秒後にもう一度お確かめください。",
        "It has not been decided yet. Look again in a few seconds.",
    ),
    "forgotten": ("30日より前の記録は残っていません。", "Records older than 30 days are gone."),
    "not_a_member": (
        "送信されたとき、このトークルームのメンバーではありませんでした。",
        "They were not in the room when it was sent.",
    ),
    "not_involved": (
        "本人宛てのメッセージ、メンション、返信ではないため、未読件数だけを更新しました。",
        "It was not addressed to them, nor a mention or a reply: only the number on the icon was put right.",
    ),
    "own_message": ("本人が送信したメッセージです。", "They wrote it themselves."),
    "not_a_person": ("ボットには通知しません。", "Bots are not rung."),
    "account_ended": ("アカウントが停止中か、期限が切れています。", "Their account is disabled, or its time is over."),
    "cannot_see": ("メンバーになる前のメッセージです。", "It is from before they came into the room."),
    "redacted": ("通知する前に取り消されました。", "It was taken back before anybody was rung."),
    "read_already": ("通知する前に読まれていました。", "They had read it already."),
    "reading_now": (
        "そのとき、パソコンなどでこのトークルームを開いていました。",
        "They had the room on a screen at that moment.",
    ),
    "switched_off": ("本人の設定で、通知を受け取らないことになっています。", "They chose not to be rung at all."),
    "room_muted": ("本人の設定で、このトークルームの通知を止めています。", "They silenced this room."),
    "off_duty": ("本人の設定で、勤務時間外になっています。", "They said that they are off duty."),
    "quiet_hours": ("本人が決めた、通知しない時間帯でした。", "It was in their quiet hours."),
    "no_device": (
        "通知を受け取れる端末がありません(未登録、承認待ち、サインアウト済みなど)。",
        "No device of theirs can be rung: none is registered, or it waits for approval, or is signed out.",
    ),
    "not_here": (
        "団体の規則で、メモ帳は最も信頼できる網だけで使えます。",
        "The organization keeps memo pads to the most trusted network: no device is told of them.",
    ),
    "too_old": (
        "サーバーが止まっていたため、12時間以上たってから処理しました。",
        "The server was down; it came to this message after more than 12 hours.",
    ),
}
"""By what was decided for a person."""

DEVICES: Final[dict[str, tuple[str, str]]] = {
    "waiting": ("送信を待っています。", "It waits to be sent."),
    "sending": ("送信中です。", "It is being sent."),
    "accepted": (
        "配信事業者が受け付けました。鳴らなかったときは、端末の通知設定や電池の節約設定をお確かめください。",
        "The provider accepted it. If it did not ring, look at the device's own settings for notifications and battery.",
    ),
    "invalid": (
        "端末の登録が無効になっていたため、登録を外しました。アプリを開くと登録し直されます。",
        "The device's registration was good for nothing and has been dropped. Opening the app registers it again.",
    ),
    "refused": ("配信事業者が受け付けませんでした。", "The provider refused it."),
    "given_up": ("期限までに届けられず、あきらめました。", "It could not be delivered in time and was given up."),
    "replaced": ("同じトークルームの新しい通知にまとめました。", "A newer one of the same room took its place."),
    "read": ("送信する前に、ほかの端末で読まれました。", "It was read elsewhere before it was sent."),
    "no_device": (
        "送信するとき、端末が使えなくなっていました。",
        "The device could not be used any more when it was its turn.",
    ),
    "withdrawn": (
        "メッセージが取り消されたか、通知の必要がなくなりました。",
        "It was taken back, or not needed any more.",
    ),
}
"""By the state of a push."""
