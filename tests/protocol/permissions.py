"""Who may do what over HTTP: one row a call, one column a kind of person. The product's own words, and nothing derived.

A number below 600 is the HTTP status of an answer; above, the number of the error. `test_http_permissions.py` tries
every cell on a real server and fails when a call has no row here, or a role no column.

Everybody but the stranger and nobody is of organization A. The room is a private one: `owner` owns it, `member`,
`read_only` and `guest` are in it. Those who hold a role are not in the room: roles run the organization and do not read
its talk. `administrator` administers organization A, `department_admin` the department of `colleague`. `stranger`
administers organization B. `disabled` was a member, and holds an access token that has not expired.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Row(NamedTuple):
    """What each kind of person is answered."""

    nobody: int
    guest: int
    read_only: int
    member: int
    owner: int
    administrator: int
    department_admin: int
    auditor: int
    records_officer: int
    stranger: int
    disabled: int


NOT_SIGNED_IN: Final = 1003
DISABLED: Final = 6009


def signed_in(
    guest: int, read_only: int, member: int, owner: int, administrator: int, others: int, stranger: int,
    *, department_admin: int | None = None, auditor: int | None = None, records_officer: int | None = None,
) -> Row:  # fmt: skip
    """A call that asks who one is. `others`: who holds one of the other roles, where nothing is said of that very one."""
    return Row(
        NOT_SIGNED_IN, guest, read_only, member, owner, administrator,
        others if department_admin is None else department_admin,
        others if auditor is None else auditor,
        others if records_officer is None else records_officer,
        stranger, DISABLED,
    )  # fmt: skip


def bots_alone() -> Row:
    """By the token of a bot that runs elsewhere: a person's is none. test_bots_outside.py shows what a bot gets."""
    return Row(NOT_SIGNED_IN, *[1004] * (len(Row._fields) - 1))


def anyone(answer: int) -> Row:
    return Row(*[answer] * len(Row._fields))


def everyone_signed_in(answer: int) -> Row:
    return signed_in(*[answer] * 7)


PERMISSIONS: Final[dict[str, Row]] = {
    # Signing in looks the same to everybody.
    "start_sign_in": anyone(200),
    "prove_password": anyone(1006),  # the flow is none
    "refresh_session": anyone(1004),  # the token is none
    # One's own
    "get_me": everyone_signed_in(200),
    "sign_out": everyone_signed_in(204),
    "list_devices": everyone_signed_in(200),
    "sign_out_device": signed_in(6005, 6005, 204, 6005, 6005, 6005, 6005),  # another device of `member`
    "get_this_device": everyone_signed_in(200),
    "describe_device": everyone_signed_in(200),
    "register_push": everyone_signed_in(200),
    "withdraw_push": everyone_signed_in(204),
    "renew_push": anyone(6024),  # by a secret that a device's worker was given: no session is one, and this one is none
    "sync": everyone_signed_in(200),
    "get_web_key": everyone_signed_in(200),
    "try_push": everyone_signed_in(200),
    "confirm_wiped": everyone_signed_in(204),
    "wipe_own_device": signed_in(6005, 6005, 200, 6005, 6005, 6005, 6005),  # another device of `member`
    # Devices of the organization: `colleague`'s one, by administrators of their own
    "list_organization_devices": signed_in(3009, 2008, 2008, 2008, 200, 2008, 200),
    "list_devices_of": signed_in(3009, 2008, 2008, 2008, 200, 2008, 6001),
    "change_device": signed_in(3009, 2008, 2008, 2008, 200, 2008, 6001),
    "wipe_device": signed_in(3009, 2008, 2008, 2008, 200, 2008, 6001),
    "sign_out_device_of": signed_in(3009, 2008, 2008, 2008, 204, 2008, 6001),
    "get_usage": everyone_signed_in(200),
    "list_bookmarks": everyone_signed_in(200),
    "get_notifications": everyone_signed_in(200),
    "change_notifications": everyone_signed_in(200),
    "change_password": everyone_signed_in(1009),  # nobody's old one
    # People. `colleague` is somebody of organization A whom the guest shares no room with.
    # Columns:                  guest read  member owner admin others stranger
    "get_directory": everyone_signed_in(200),
    "list_people": everyone_signed_in(200),
    "get_person": signed_in(6001, 200, 200, 200, 200, 200, 6001),
    "add_person": signed_in(3009, 2008, 2008, 2008, 200, 2008, 200),  # into one's own organization
    "change_person": signed_in(3009, 2008, 2008, 2008, 200, 2008, 6001, department_admin=200),  # the name
    # The organization: by its administrators, each their own
    "get_organization": signed_in(3009, 2008, 2008, 2008, 200, 2008, 200),
    "change_organization": signed_in(3009, 2008, 2008, 2008, 200, 2008, 200),
    "list_organization_rooms": signed_in(3009, 2008, 2008, 2008, 200, 2008, 200),
    "list_held_files": signed_in(3009, 2008, 2008, 2008, 200, 2008, 200, department_admin=7119),
    "approve_file": signed_in(3009, 2008, 2008, 2008, 200, 2008, 7116, department_admin=7119),
    "refuse_file": signed_in(3009, 2008, 2008, 2008, 200, 2008, 7116, department_admin=7119),
    "list_organization_links": signed_in(3009, 2008, 2008, 2008, 200, 2008, 200),
    "revoke_organization_link": signed_in(3009, 2008, 2008, 2008, 200, 2008, 7103),
    "list_zone_rules": signed_in(3009, 2008, 2008, 2008, 200, 2008, 200),
    "change_zone_rule": signed_in(3009, 2008, 2008, 2008, 200, 2008, 200),
    "get_health": signed_in(3009, 2008, 2008, 2008, 200, 2008, 200),
    # The staff file: into one's own organization, and only what was shown before.
    "show_staff_difference": signed_in(3009, 2008, 2008, 2008, 200, 2008, 200),
    "import_staff_file": signed_in(3009, 2008, 2008, 2008, 6012, 2008, 6012),
    "explain_push": signed_in(3009, 2008, 2008, 2008, 200, 2008, 6001),  # of a member, and a message in the room
    "list_audit": signed_in(3009, 2008, 2008, 2008, 2008, 2008, 2008, auditor=200),
    # Rooms
    "list_rooms": everyone_signed_in(200),
    "create_room": signed_in(3009, 200, 200, 200, 200, 200, 200),  # a private one
    "open_direct_room": signed_in(3009, 200, 200, 200, 200, 200, 6001),  # with a colleague of organization A
    "list_open_rooms": everyone_signed_in(200),
    "get_room": signed_in(200, 200, 200, 200, 3001, 3001, 3001),
    "change_room": signed_in(3004, 3004, 3004, 200, 3001, 3001, 3001),
    "change_room_notifications": signed_in(204, 204, 204, 204, 3001, 3001, 3001),
    "list_members": signed_in(200, 200, 200, 200, 3001, 3001, 3001),
    "invite_members": signed_in(3009, 3004, 204, 204, 3001, 3001, 3001),
    "change_member": signed_in(3004, 3004, 3004, 204, 3001, 3001, 3001),
    "remove_member": signed_in(3004, 3004, 3004, 204, 3001, 3001, 3001),
    "join_room": signed_in(3001, 204, 204, 204, 204, 204, 3001),  # an open room of organization A
    "leave_room": signed_in(204, 204, 204, 3006, 3001, 3001, 3001),  # the last owner stays
    # Sharing: by default a matter of administrators. The room is offered to organization B.
    "list_offered_rooms": signed_in(3009, 2008, 2008, 2008, 200, 2008, 200),
    "offer_room": signed_in(3004, 3004, 3004, 2008, 3001, 3001, 3001),
    "open_side": signed_in(3009, 2008, 2008, 2008, 3001, 2008, 200),
    "list_sides": signed_in(3004, 3004, 3004, 200, 3001, 3001, 3001),  # whom the owner offered it to
    "withdraw_room": signed_in(3004, 3004, 3004, 204, 3001, 3001, 3001),
    "close_side": signed_in(3009, 2008, 2008, 2008, 3005, 2008, 204),  # the home side archives instead
    # Messages
    "list_messages": signed_in(200, 200, 200, 200, 3001, 3001, 3001),
    "send_message": signed_in(200, 3003, 200, 200, 3001, 3001, 3001),
    # Of a room, so that the rows differ; what is found without one: test_http_search.py.
    "search": signed_in(200, 200, 200, 200, 3001, 3001, 3001),
    "list_attachments": signed_in(200, 200, 200, 200, 3001, 3001, 3001),
    "list_pins": signed_in(200, 200, 200, 200, 3001, 3001, 3001),
    "list_room_bots": signed_in(200, 200, 200, 200, 3001, 3001, 3001),
    "get_message": signed_in(200, 200, 200, 200, 4001, 4001, 4001),
    "press_button": signed_in(204, 204, 204, 204, 4001, 4001, 4001),
    "answer_form": signed_in(200, 200, 200, 200, 4001, 4001, 4001),
    "own_answer": signed_in(200, 200, 200, 200, 4001, 4001, 4001),
    "ask_to_confirm": signed_in(4004, 4004, 4004, 200, 4001, 4001, 4001),
    "confirm_message": signed_in(200, 200, 200, 4013, 4001, 4001, 4001),
    "list_confirmations": signed_in(200, 200, 200, 200, 4001, 4001, 4001),
    "give_confirmations": signed_in(4004, 4004, 4004, 200, 4001, 4001, 4001),
    "roll_up_readers": signed_in(200, 200, 200, 200, 4001, 4001, 4001),
    "list_unread_announcements": everyone_signed_in(200),
    "list_pending": everyone_signed_in(200),
    "schedule_message": signed_in(200, 3003, 200, 200, 3001, 3001, 3001),
    "change_scheduled": signed_in(4015, 4015, 4015, 200, 4015, 4015, 4015),
    "take_back_scheduled": signed_in(4015, 4015, 4015, 204, 4015, 4015, 4015),
    "list_scheduled": everyone_signed_in(200),
    "list_notes": signed_in(200, 200, 200, 200, 3001, 3001, 3001),
    "create_note": signed_in(200, 3003, 200, 200, 3001, 3001, 3001),
    "get_note": signed_in(200, 200, 200, 200, 4030, 4030, 4030),
    "print_note": signed_in(200, 200, 200, 200, 4030, 4030, 4030),
    "pack_note": signed_in(200, 200, 200, 200, 4030, 4030, 4030),
    "list_note_versions": signed_in(200, 200, 200, 200, 4030, 4030, 4030),
    "get_note_version": signed_in(200, 200, 200, 200, 4030, 4030, 4030),
    "change_note": signed_in(200, 3003, 200, 200, 4030, 4030, 4030),
    "restore_note": signed_in(200, 3003, 200, 200, 4030, 4030, 4030),
    "delete_note": signed_in(4037, 3003, 4037, 204, 4030, 4030, 4030),  # the owner's
    "strike_note_entry": signed_in(4037, 4037, 4037, 204, 4030, 4030, 4030),
    # Webhooks of the room: its owners'. Who posts by one shows no token but a signature.
    "make_hook": signed_in(3004, 3004, 3004, 200, 3001, 3001, 3001),
    "list_hooks": signed_in(3004, 3004, 3004, 200, 3001, 3001, 3001),
    "change_hook": signed_in(7001, 7001, 7001, 200, 7001, 7001, 7001),
    "roll_hook_secret": signed_in(7001, 7001, 7001, 200, 7001, 7001, 7001),
    "retry_hook": signed_in(7001, 7001, 7001, 200, 7001, 7001, 7001),
    "remove_hook": signed_in(7001, 7001, 7001, 204, 7001, 7001, 7001),
    "post_by_hook": anyone(7001),
    # Upload links: whoever may write asks, the members see, the asker (here the owner) and the owners decide.
    "ask_for_files": signed_in(7104, 3003, 201, 201, 3001, 3001, 3001),
    "list_upload_links": signed_in(200, 200, 200, 200, 3001, 3001, 3001),
    "read_upload_link": signed_in(200, 200, 200, 200, 7103, 7103, 7103),
    "change_upload_link": signed_in(7105, 7105, 7105, 200, 7103, 7103, 7103),
    "revoke_upload_link": signed_in(7105, 7105, 7105, 200, 7103, 7103, 7103),
    "give_link_address": signed_in(7105, 7105, 7105, 200, 7103, 7103, 7103),
    "ask_again": signed_in(7104, 3003, 201, 201, 7103, 7103, 7103),
    # Whoever hands in shows the token of a link or a visit, and no session: who is signed in has none of them either.
    "look_at_link": anyone(7101),
    "begin_visit": anyone(7101),
    "read_visit": anyone(7102),
    "deliver": anyone(7102),
    "tell_tus_outside": anyone(204),
    "begin_file": anyone(7102),
    "see_file": anyone(404),
    "add_to_file": anyone(7102),
    "cancel_file": anyone(7102),
    "list_readers": signed_in(200, 200, 200, 200, 4001, 4001, 4001),
    # Photos. Addresses leave out what one may not see; an address made for somebody is checked when it is used.
    "upload_photo": everyone_signed_in(200),
    "give_addresses": everyone_signed_in(200),
    "withdraw_attachment": signed_in(4004, 4004, 4004, 204, 5001, 5001, 5001),
    "read_report": signed_in(5019, 5019, 5019, 5019, 5001, 5001, 5001),
    # What they may see, people may have made into pictures; this one is a photo.
    "flatten_attachment": signed_in(5020, 5020, 5020, 5020, 5001, 5001, 5001),
    "read_flattened": signed_in(200, 200, 200, 200, 5001, 5001, 5001),
    # Taking a photo out: it is asked for in its own network here, where that takes no approval. The room's owner decides, and whoever
    # administers the organization.
    "ask_to_take_out": signed_in(5022, 5022, 5022, 5022, 5001, 5001, 5001),
    "read_takeout": signed_in(200, 200, 200, 200, 5001, 5001, 5001),
    "list_takeouts": everyone_signed_in(200),
    "approve_takeout": signed_in(5023, 5023, 5023, 200, 200, 5023, 5023),
    "refuse_takeout": signed_in(5023, 5023, 5023, 200, 200, 5023, 5023),
    "tell_tus": Row(204, 204, 204, 204, 204, 204, 204, 204, 204, 204, 204),
    "begin_upload": everyone_signed_in(201),
    # An upload is its sender's alone: for everybody else there is none.
    "read_upload": everyone_signed_in(5008),
    "see_upload": Row(401, 404, 404, 404, 404, 404, 404, 404, 404, 404, 403),
    "add_to_upload": everyone_signed_in(5008),
    "cancel_upload": everyone_signed_in(5008),
    "next_task": bots_alone(),
    "bring_back_task": bots_alone(),
    "get_file": Row(5006, 200, 200, 200, 200, 5001, 5001, 5001, 5001, 5001, 5006),
}
