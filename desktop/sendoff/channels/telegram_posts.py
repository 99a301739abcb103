"""A message in Telegram's terms: which method a part takes and with what, what an answer means, where a message is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sendoff.channels import telegram_markup as markup
from sendoff.channels.http import Answer, Http, retry_after
from sendoff.channels.multipart import FileForm, FormFile, unnamed
from sendoff.channels.reading import listed, table
from sendoff.domain.channel import Parcel
from sendoff.domain.delivery import Receipt
from sendoff.domain.errors import InDoubt, NeedsLogin, Rejected, TryLater
from sendoff.domain.post import Attachment, Item

_KINDS: Mapping[str, str] = {
    "image/jpeg": "photo", "image/png": "photo", "image/webp": "photo", "image/gif": "animation", "video/mp4": "video",
    "audio/mpeg": "audio", "audio/mp4": "audio", "audio/x-m4a": "audio",
}  # fmt: skip
"""What Telegram shows in its own way (sendPhoto, sendAnimation, sendVideo, sendAudio); all else is a document."""

PREVIEWS: Mapping[str, Mapping[str, bool]] = {
    "none": {"is_disabled": True},
    "small": {"prefer_small_media": True},
    "large": {"prefer_large_media": True},
    "above": {"show_above_text": True},
}
"""The values of the option for link previews, as LinkPreviewOptions."""


def kind(attachment: Attachment, options: Mapping[str, str]) -> str:
    """As what a file is sent: photo, animation, video, audio or document."""
    return "document" if options.get("as_files") == "yes" else _KINDS.get(attachment.mime, "document")


@dataclass(frozen=True, slots=True)
class Call:
    """A method of the Bot API with its parameters, and the files that go along by the field they fill."""

    method: str
    parameters: Mapping[str, Any]
    files: tuple[FormFile, ...] = ()

    def request(self) -> dict[str, Any]:
        """What Http.send is given: JSON, or a form where files go along (there all but text is JSON in a field)."""
        if not self.files:
            return {"json": self.parameters}
        fields = {
            name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            for name, value in self.parameters.items()
        }
        form = FileForm(fields, *self.files)
        return {"data": form, "headers": {"Content-Type": form.content_type}}


def call(parcel: Parcel, chat_id: str) -> Call:
    """The one request that a part is (core.telegram.org/bots/api, Bot API 10.1)."""
    item, options = parcel.item, parcel.options
    files = item.shown
    about: dict[str, Any] = {"chat_id": int(chat_id)}
    if topic := parcel.account.settings.get("topic", ""):
        about["message_thread_id"] = int(topic)
    if options.get("silent") == "yes":
        about["disable_notification"] = True
    if options.get("protect") == "yes":
        about["protect_content"] = True
    if item.poll:
        return Call("sendPoll", about | _poll(item, options))
    if not files:
        preview = PREVIEWS.get(options.get("preview", ""))
        more = {"link_preview_options": dict(preview)} if preview else {}
        return Call("sendMessage", about | _words("text", item.text, options) | more)
    caption = _words("caption", item.text, options) if item.text.strip() else {}
    if len(files) == 1:
        what = kind(files[0], options)
        file = FormFile(what, parcel.file(files[0]), _name(files[0], what, 0), files[0].mime)
        return Call(f"send{what.title()}", about | caption, (file,))
    album, sent = [], []
    for number, one in enumerate(files):
        what, field = kind(one, options), f"file{number}"
        # The album's words are the caption of its first photo or video, and of the last of several files.
        leads = number == (len(files) - 1 if kind(files[0], options) in ("document", "audio") else 0)
        album.append({"type": what, "media": f"attach://{field}", **(caption if leads else {})})
        sent.append(FormFile(field, parcel.file(one), _name(one, what, number), one.mime))
    return Call("sendMediaGroup", about | {"media": album}, tuple(sent))


QUESTION = 300
"""Characters of a poll's question (core.telegram.org/bots/api, sendPoll)."""


def question(item: Item, options: Mapping[str, str]) -> str:
    """What a poll asks: the text without its marks, because a question takes none."""
    return markup.shown(item.text, options.get("format", "")).strip()


def _poll(item: Item, options: Mapping[str, str]) -> dict[str, Any]:
    assert item.poll
    return {
        "question": question(item, options),
        "options": [{"text": one} for one in item.poll.options],
        "allows_multiple_answers": item.poll.multiple,
        "open_period": item.poll.lasts,
    }


def _words(field: str, text: str, options: Mapping[str, str]) -> dict[str, Any]:
    source = markup.sent(text, options.get("format", ""))
    return {field: text} if source is None else {field: source, "parse_mode": "HTML"}


def _name(one: Attachment, what: str, number: int) -> str:
    """A picture's name is shown nowhere; of a file it is all that is."""
    return one.name if what in ("document", "audio") else unnamed(one.name, f"file{number + 1}")


# --- answers ------------------------------------------------------------------------------------------------------

_ADD = "Add the bot to the chat again, in a channel as administrator, and sign in again; planned times are kept."
_LOST: tuple[tuple[str, str, str], ...] = (
    ("chat not found", "Telegram can’t find the chat, or the bot is not in it", _ADD),
    ("was kicked", "The bot was removed from the chat", _ADD),
    ("is not a member", "The bot is not in the chat any more", _ADD),
    ("was blocked", "The person blocked the bot", "They have to start it again; then sign in again."),
    ("can't initiate conversation", "The person has not started the bot", "They have to press Start; then sign in."),
    ("user is deactivated", "The person’s account is closed", "Name another chat in the account."),
    ("need administrator rights", "The bot is no administrator of the channel", _ADD),
    ("chat_admin_required", "The bot is no administrator of the channel", _ADD),
)
"""By what Telegram says, in lower case: the account can send nothing until a person does something."""

_REFUSED: tuple[tuple[str, str, str], ...] = (
    ("not enough rights", "The bot may not post this there",
     "Give it the right to post (and to send media) in the chat’s settings, then send it again."),
    ("chat_write_forbidden", "The bot may not post there", "Give it the right to post, then send it again."),
    ("message is too long", "The text is too long", "4,096 characters are the limit. Shorten it, then send it again."),
    ("caption is too long", "The text is too long for one beside media",
     "1,024 characters are the limit there. Shorten it, or send the media as a post of its own."),
    ("can't parse entities", "Telegram can’t read the formatting",
     "Mend it, or choose “As it is written” in the post’s options, then send it again."),
    ("text is empty", "Telegram takes no empty message", "Write something that can be seen, then send it again."),
    ("photo_invalid_dimensions", "Telegram can’t show a picture of that shape",
     "Cut it, or choose “Send as files” in the post’s options, then send it again."),
    ("image_process_failed", "Telegram can’t make anything of a picture",
     "Save it as JPEG, or choose “Send as files” in the post’s options, then send it again."),
    ("file is too big", "A file is too big", "50 MB are the limit, 10 MB for a photo."),
    ("too large", "The files are too big", "50 MB are the limit, 10 MB for a photo."),
    ("thread not found", "There is no such topic in the group", "Correct it in the account, then send it again."),
    ("topic_closed", "The topic is closed", "Open it in Telegram, then send it again."),
    ("can't be deleted", "Telegram does not let it be deleted any more", "Delete it in the app."),
)  # fmt: skip
"""The post can't go as it is; others can."""


def moved_to(answer: Answer) -> str:
    """The number under which a group goes on that became a supergroup; "" for any other answer."""
    new = table(table(answer.json()).get("parameters")).get("migrate_to_chat_id")
    return str(new) if answer.status == 400 and isinstance(new, int) and not isinstance(new, bool) else ""


def result(http: Http, answer: Answer, *, effect: bool) -> Any:
    """What an answer with `"ok": true` holds, or the end that another one means.

    Raises:
        Rejected, NeedsLogin, TryLater, InDoubt (effect).
    """
    found = table(answer.json())
    if 200 <= answer.status < 300 and answer.whole and found.get("ok") is True:
        return found.get("result")
    said = words(http, answer)
    code = found.get("error_code") if found.get("ok") is False else None
    status = code if isinstance(code, int) and 400 <= code < 600 else answer.status
    about: dict[str, Any] = {"detail": http.masked(answer.text)[:500], "status": status}
    quoted = f": “{said}”." if said else "."
    if status == 429:
        raise TryLater(f"Telegram asks to wait{quoted}", after=pause(answer), **about)
    if status == 404 and code == 404:
        raise NeedsLogin("Telegram does not know this bot token.", advice="Copy it from @BotFather again.", **about)
    if 400 <= status < 500:
        for known, end in ((_LOST, NeedsLogin), (_REFUSED, Rejected)):
            for sign, why, advice in known:
                if sign in said.lower():
                    raise end(f"{why}{quoted}", advice=advice, **about)
    if status == 403:
        raise NeedsLogin(f"The bot may not write to the chat{quoted}", advice=_ADD, **about)
    http.judge(Answer(status, answer.headers, answer.body, answer.whole), effect=effect, words=said)
    if effect:
        raise InDoubt("Telegram answered with something else than a message. It may have gone out.", **about)
    raise TryLater("Telegram answered with something else than it should.", advice="Is the server right?", **about)


def words(http: Http, answer: Answer) -> str:
    """Telegram's own words, without the name of the status in front."""
    said = table(answer.json()).get("description")
    text = " ".join(said.split()) if isinstance(said, str) else ""
    for name in ("Bad Request: ", "Forbidden: ", "Too Many Requests: "):
        text = text.removeprefix(name)
    return http.masked(text)[:300]


LONGEST_WAIT = 7 * 86_400
"""Seconds. A longer wish is not believed."""


def pause(answer: Answer) -> timedelta | None:
    """How long Telegram asks to wait: whole seconds in `parameters.retry_after`, or a server before it by header."""
    wish, header = table(table(answer.json()).get("parameters")).get("retry_after"), retry_after(answer.headers)
    if isinstance(wish, (int, float)) and not isinstance(wish, bool) and wish > 0:
        return max(timedelta(seconds=min(wish, LONGEST_WAIT)), header or timedelta())
    return header


def receipt(http: Http, found: Any, answer: Answer) -> Receipt:
    """The receipt for the message, or for all messages of an album.

    Raises:
        InDoubt: it is none.
    """
    messages = [table(one) for one in (listed(found) or [found])]
    numbers = [one.get("message_id") for one in messages]
    chat = table(messages[0].get("chat"))
    if not all(isinstance(one, int) and not isinstance(one, bool) for one in numbers) or not is_chat(chat):
        raise InDoubt(
            "Telegram answered with something else than a message. It may have gone out.",
            detail=http.masked(answer.text)[:500], status=answer.status,
        )  # fmt: skip
    first = int(numbers[0])  # type: ignore[arg-type]  # looked at above
    data = {"chat_id": str(chat["id"]), "message_ids": numbers}
    return Receipt(str(first), url=url(chat, first), data=data)


def is_chat(found: Any) -> bool:
    number = table(found).get("id")
    return isinstance(number, int) and not isinstance(number, bool)


def url(chat: Mapping[str, Any], message: int | None = None) -> str:
    """Where a chat, or a message of it, can be seen: by anybody in a public one, by members in a private channel or
    supergroup; "" in others."""
    name, number = chat.get("username"), str(chat["id"])
    behind = "" if message is None else f"/{message}"
    if isinstance(name, str) and name and chat.get("type") != "private":
        return f"https://t.me/{name}{behind}"
    return f"https://t.me/c/{number[4:]}{behind}" if number.startswith("-100") and behind else ""
