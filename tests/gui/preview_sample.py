"""Posts and a mail of the sample as the composer hands them to the preview pane."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from PIL import Image, ImageDraw

from sendoff.bootstrap import Program
from sendoff.domain.account import Account
from sendoff.domain.post import Attachment, Content, Item, Mail, Markup, Poll, Recipient, Role
from sendoff.domain.when import When
from sendoff.store import accounts
from sendoff.ui.composer.preview.model import Preview, cut
from tests.gui import sample

TUESDAY = When(datetime(2026, 11, 24, 9), sample.ZONE)
WORDS = (
    "New beans are in: #Guji natural from Hambela, carried up the pier this morning by Ayşegül and one very determined "
    "dog 🐕\nIt tastes of apricot, black tea and a little of the holidays. We brew it on both bars until Sunday, and "
    "250 g bags are on the shelf, as long as the @nordlicht@literatur.example readers leave us some.\n"
    "https://harborcoffee.example/guji Free cup for the first ten."
)
NEWSLETTER = """\
<html><head><title>November</title><style>h1 { color: #1F3A4A }</style></head>
<body bgcolor="#FFFFFF"><table width="600" cellpadding="12" bgcolor="#1F3A4A"><tr><td>
<font color="#FFFFFF"><b>HARBOR</b> Coffee</font></td></tr></table>
<h1>Winter at the pier</h1><p>Dear {{name|reader}},</p>
<p>six new coffees, a calendar and an apology: <i>Guji natural</i> is sold out again. 📚 The next sacks come on
<b>4 December</b>. If you <a href="https://harborcoffee.example/order">order</a> by Friday, yours is among them.</p>
<p><img src="cid:pier.png" width="600"></p>
<img src="https://tracker.example/open.gif" width="1" height="1">
<ul><li>Cupping on Saturday at ten</li><li>Quiz night on Thursday</li></ul></body></html>
"""


def picture(program: Program, name: str, color: str, size: tuple[int, int], role: Role = Role.MEDIA) -> Attachment:
    """A picture of one colour with a disc in it, in the media store."""
    image = Image.new("RGB", size, color)
    side = min(size) // 3
    ImageDraw.Draw(image).ellipse((side, side // 2, 2 * side, side // 2 + side), fill="#F4E3B2")
    file = io.BytesIO()
    image.save(file, "PNG")
    return program.media.attach_bytes(file.getvalue(), name, "image/png", role=role)


def account(program: Program, place: int) -> Account:
    with program.store.reading() as connection:
        return accounts.every(connection)[place]


def preview(
    program: Program,
    place: int,
    content: Content,
    options: Mapping[str, str] | None = None,
    when: When | None = TUESDAY,
) -> Preview:
    """What one account of the sample gets."""
    one = account(program, place)
    made = Preview(one, program.channels[one.channel], content, options or {}, when, 0)
    return replace(made, over=max(cut(item, made).over for item in content.items))


def post(program: Program) -> Content:
    bag = replace(picture(program, "bag.png", "#E5DDD2", (1200, 800)), alt="Dark coffee bag")
    return Content((Item(WORDS, (bag, picture(program, "boat.png", "#BFD6E4", (900, 900)))),))


def posts(program: Program) -> list[Preview]:
    """The same post for Mastodon, where it fits, and for Bluesky, where it is too long."""
    content = post(program)
    return [
        preview(program, sample.TOOT, content, {"visibility": "unlisted"}),
        preview(program, sample.SKY, content),
    ]


def chats(program: Program) -> list[Preview]:
    """The same post as a chat shows it; beside a picture it is too long for Telegram by a little."""
    content = post(program)
    long = Content((replace(content.items[0], text=WORDS + "\n" + WORDS[:700]),))
    discord = Account(90, 1, "discord", "Harbor Coffee #news", "@herald")
    telegram = Account(91, 1, "telegram", "Harbor News", "@herald_bot")
    made = [
        Preview(discord, program.channels["discord"], content, {}, TUESDAY, 0),
        Preview(telegram, program.channels["telegram"], long, {}, TUESDAY, 0),
    ]
    return [replace(one, over=max(cut(item, one).over for item in one.content.items)) for one in made]


def on_x(program: Program) -> list[Preview]:
    """A thread on X, with a picture, a link and a poll; the first item is too long, because links and emoji weigh."""
    picture_of_bag = post(program).items[0].media[:1]
    items = (
        Item(WORDS[:270] + " https://harborcoffee.example/guji 🌱", picture_of_bag),
        Item("Apricot, black tea, and a little of the holidays: harborcoffee.example"),
        Item("Which one next?", poll=Poll(("Yirgacheffe, washed", "Huila"), 86_400)),
    )
    return [preview(program, sample.X, Content(items))]


def thread(program: Program) -> list[Preview]:
    """A thread with a warning, a poll and a video."""
    video = program.media.attach_bytes(b"\0\0\0\x14ftypisom, and nothing to see", "cupping.mp4", "video/mp4")
    poll = Poll(("Guji natural", "Yirgacheffe, washed", "Huila"), 259_200)
    items = (
        Item("Which coffee shall we roast next? A short thread about the three on the table, and then you decide."),
        Item("Guji first: apricot and black tea.", (video,)),
        Item("Now you.", poll=poll),
    )
    warned = preview(program, sample.TOOT, Content(items[:1]), {"spoiler_text": "Coffee, and strong opinions"})
    return [preview(program, sample.TOOT, Content(items), {"visibility": "public"}), warned]


def newsletter(program: Program) -> Content:
    people = (
        Recipient("annegret@example.org", "Annegret Öztürk"),
        Recipient("tomas@example.org", "Tomás"),
        Recipient("noname@example.org"),
    )
    pier = picture(program, "pier.png", "#DCE3EA", (1200, 400), Role.INLINE)
    price_list = program.media.attach_bytes(b"%PDF-" + b"x" * 1_800_000, "Price list 2026.pdf", "application/pdf")
    letter = Mail(
        "Winter at the pier: six coffees, one calendar",
        "Signed until Friday, and why we say sorry 🙏",
        Markup.HTML,
        NEWSLETTER,
        people,
        separately=True,
    )
    return Content((Item("", (pier, replace(price_list, role=Role.ATTACHMENT))),), letter)


def mails(program: Program) -> list[Preview]:
    return [preview(program, sample.NEWS, newsletter(program))]
