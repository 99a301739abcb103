"""Brings the composer into its states, for screenshots and tests."""

from __future__ import annotations

import io
import random
from pathlib import Path

from PIL import Image, ImageDraw
from PySide6.QtWidgets import QWidget

from sendoff.domain.post import Attachment, Content, Item, LinkCard, Mail, Markup, Plan, Poll, Recipient, Role, Variant
from sendoff.store import accounts, changes, timeline
from sendoff.ui.composer.screen import ComposerScreen
from tests.gui import sample
from tests.gui.desk import Desk

GUJI = (
    "New beans are in: #Guji natural from Hambela, carried up the pier this morning by Ayşegül and one very determined "
    "dog 🐕\nIt tastes of apricot, black tea and a little of the holidays. We brew it on both bars until Sunday, and "
    "250 g bags are on the shelf, as long as the @nordlicht@literatur.example readers leave us some.\n"
    "https://harborcoffee.example/guji Free cup for the first ten."
)
CARD_TITLE = "Guji natural: three days from the crane to the cup"
LETTER = (
    "# Der Winter bei Nordlicht\n\nLiebe {{vorname|Leserin, lieber Leser}},\n\nsechs neue Bücher, ein Kalender und "
    "eine Entschuldigung: *Das Gedächtnis\nder Gezeiten* ist schon wieder vergriffen. 📚 Der Nachdruck kommt am\n"
    "**4. Dezember**. Wer bis Freitag [vorbestellt](https://nordlicht-verlag.example/v),\nbekommt ein signiertes "
    "Exemplar.\n\n## Lesungen\n- Bremen, 3. 12., mit Þórdís Guðmundsdóttir\n- Oldenburg, 9. 12., mit Karl-Friedrich"
)


def screen(desk: Desk) -> ComposerScreen:
    """The composer of a window."""
    found = desk.window.screen_named("composer")
    assert isinstance(found, ComposerScreen)
    return found


def png(color: str, shape: str = "ellipse", size: tuple[int, int] = (880, 640)) -> bytes:
    """A small drawing as PNG bytes."""
    image = Image.new("RGB", size, color)
    wide, high = size
    getattr(ImageDraw.Draw(image), shape)((wide // 4, high // 4, wide * 3 // 4, high), fill="#3E2723")
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def picture(desk: Desk, name: str, color: str, shape: str, alt: str = "") -> Attachment:
    """A picture that is in the profile already."""
    return desk.program.media.attach_bytes(png(color, shape), name, "image/png", alt=alt)


def open_post(desk: Desk) -> None:
    """A post for three accounts: too long for one, another with its own text, a picture without alt text."""
    media = (
        picture(desk, "bag.png", "#E6DCCF", "rectangle", "Dark coffee bag with a cream label on a wooden shelf"),
        picture(desk, "pier.png", "#BFD7E6", "ellipse"),
    )
    content = Content((Item(GUJI, media),))
    own = Content((Item("New beans: #Guji natural, on both bars until Sunday. harborcoffee.example/guji"),))
    ids = [sample.TOOT + 1, sample.SKY + 1, sample.X + 1]
    variants = [Variant(ids[0]), Variant(ids[1]), Variant(ids[2], own)]
    post_id, _ = desk.program.commands.posts.save_draft(content, variants, Plan("tomorrow 9", "", "ask 2h"))
    desk.window.go("composer", post_id=post_id)
    desk.settle()


def open_card(desk: Desk) -> None:
    """A post whose link has a card, for a network that gets it sent and for one that makes its own."""
    image = picture(desk, "card.jpg", "#C8A27A", "rectangle")
    card = LinkCard(
        "https://harborcoffee.example/guji", CARD_TITLE, "Apricot, black tea, and a little of the holidays.", image
    )
    content = Content((Item("New beans are in 🌱 https://harborcoffee.example/guji", card=card),))
    variants = [Variant(sample.SKY + 1), Variant(sample.TOOT + 1)]
    post_id, _ = desk.program.commands.posts.save_draft(content, variants, Plan("tomorrow 9", "", ""))
    desk.window.go("composer", post_id=post_id)
    desk.settle()


def card_left_out(desk: Desk) -> None:
    """The same, left out by whoever writes."""
    open_card(desk)
    screen(desk).desk.current.items[0].card.remove_button.click()
    desk.settle()


def too_large(desk: Desk) -> None:
    """A picture that is too large for one network, and a text that is too long for it."""
    grain = io.BytesIO()
    noise = Image.frombytes("L", (1400, 1000), random.Random(7).randbytes(1_400_000))
    Image.merge("RGB", (noise, noise.rotate(180), noise)).save(grain, "PNG", compress_level=1)
    media = (desk.program.media.attach_bytes(grain.getvalue(), "pier.png", "image/png", alt="The pier at dawn"),)
    variants = [Variant(sample.SKY + 1), Variant(sample.TOOT + 1)]
    post_id, _ = desk.program.commands.posts.save_draft(Content((Item("The pier at dawn.", media),)), variants)
    desk.window.go("composer", post_id=post_id)
    desk.settle()


def made_to_fit(desk: Desk) -> None:
    """The same, after it was made to fit."""
    too_large(desk)
    link = next(one for row in screen(desk).desk.problems.rows for one in row.links if one.words() == "Make it fit")
    link.click()
    desk.until(lambda: desk.window.said.startswith("It fits now"))
    desk.settle()


def open_mail(desk: Desk) -> None:
    """A mail in Markdown to many people, with an attachment."""
    people = tuple(Recipient(f"leser{number}@example.org", "", {"vorname": "Ada"}) for number in range(12))
    file = Attachment(desk.program.media.keep(b"%PDF-1.7 sample"), "Leseprobe_Gezeiten_2026.pdf", "application/pdf",
                      1_800_000, role=Role.ATTACHMENT)  # fmt: skip
    mail = Mail(
        "Der Winter bei Nordlicht: sechs Bücher, ein Kalender",
        "Signiert bis Freitag, und warum wir uns entschuldigen 🙏",
        Markup.MARKDOWN, to=people, separately=True,
    )  # fmt: skip
    content = Content((Item(LETTER, (file,)),), mail)
    plan = Plan("tomorrow 9", "", "ask 2h")
    post_id, _ = desk.program.commands.posts.save_draft(content, [Variant(sample.NEWS + 1)], plan)
    desk.window.go("composer", post_id=post_id)
    desk.settle()


def open_mix(desk: Desk) -> None:
    """A mail and a post from the same words."""
    mail = Mail("A free cup on Saturday", to=(Recipient("ada@example.org", "Ada"), Recipient("not an address")))
    content = Content((Item("A free cup for the first ten on Saturday. Come early!"),), mail)
    variants = [Variant(sample.TOOT + 1), Variant(sample.NEWS + 1)]
    post_id, _ = desk.program.commands.posts.save_draft(content, variants, Plan("yesterday noonish", "", "send"))
    desk.window.go("composer", post_id=post_id)
    desk.settle()


def open_alike(desk: Desk) -> None:
    """A post for accounts whose handles are the same, and for one of them twice."""
    alike = (("Ada at sea", "@harborcoffee@sea.example", "2"), ("Ada at sea, too", "@harborcoffee@sea.example", "2"))
    with desk.program.store.writing(changes.ACCOUNTS) as connection:
        ids = [
            accounts.insert(
                connection, workspace_id=1, channel="mastodon", name=name, handle=handle, url="", learned={
                    "account_id": number, "text": 500}, settings={"server": "https://sea.example"}, secret_ref=None,
                spacing=0, now=desk.context.now(),
            )
            for name, handle, number in alike
        ]  # fmt: skip
    chosen = [sample.TOOT + 1, sample.X + 1, *ids]
    content = Content((Item("The pier is open again."),))
    post_id, _ = desk.program.commands.posts.save_draft(content, [Variant(one) for one in chosen], Plan())
    desk.window.go("composer", post_id=post_id)
    desk.settle()


def open_thread(desk: Desk) -> None:
    """A thread of three."""
    drum = picture(desk, "drum.png", "#444", "ellipse", "A drum")
    items = (
        Item("How we roast Guji, in three steps. 1: the beans rest for a day."),
        Item("2: they go in at 195 °C, and we listen for the first crack.", (drum,)),
        Item("3: out after ten minutes, cooled by the harbor wind."),
    )  # fmt: skip
    post_id, _ = desk.program.commands.posts.save_draft(
        Content(items), [Variant(sample.TOOT + 1)], Plan("25 Oct 2026 2:30", "", "")
    )
    desk.window.go("composer", post_id=post_id)
    desk.settle()


def open_poll(desk: Desk) -> None:
    """A question with answers, of which one is still missing."""
    poll = Poll(("Guji natural", "Yirgacheffe, washed", "Huila"), 259_200, True)
    content = Content((Item("Which one shall we roast on Saturday?", poll=poll),))
    variants = [Variant(sample.TOOT + 1), Variant(sample.TALK + 1)]
    post_id, _ = desk.program.commands.posts.save_draft(content, variants, Plan("tomorrow 9", "", ""))
    desk.window.go("composer", post_id=post_id)
    desk.settle()
    screen(desk).desk.current.items[0].poll.more.click()
    desk.settle()


def pressed(desk: Desk) -> None:
    """Pressed although something stands against it."""
    open_post(desk)
    screen(desk).departure.press()
    desk.settle()


def options(desk: Desk) -> None:
    """The options of the accounts, opened."""
    open_post(desk)
    for panel in screen(desk).desk.options.panels.values():
        panel.toggle()
    desk.settle()
    area = screen(desk).desk
    area.verticalScrollBar().setValue(area.verticalScrollBar().maximum())
    desk.settle()


def planned(desk: Desk) -> None:
    """A planned post that is being changed."""
    with desk.context.reading() as connection:
        chip = next(one for one in timeline.upcoming(connection, 9) if one.excerpt.startswith("Behind the counter"))
    desk.window.go("composer", post_id=chip.post_id)
    screen(desk).desk.put_text(" And a new line.")
    desk.settle()


def picker(desk: Desk) -> QWidget:
    """The calendar, taken alone: it is a window of its own."""
    open_post(desk)
    return screen(desk).foot.open_picker()


def write_file(folder: Path, name: str, data: bytes) -> str:
    """A file of the person's."""
    place = folder / name
    place.write_bytes(data)
    return str(place)
