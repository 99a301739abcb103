"""Pictures and videos on X: uploaded in pieces, described, and waited for."""

from __future__ import annotations

from datetime import timedelta

from sendoff.channels import x_posts as posts
from sendoff.channels.http import Answer
from sendoff.channels.multipart import unnamed
from sendoff.channels.reading import table
from sendoff.channels.unfinished import unfinished
from sendoff.channels.x_api import Api
from sendoff.domain.channel import Parcel
from sendoff.domain.errors import Rejected, TryLater
from sendoff.domain.post import Attachment

BLOCK = 1 << 20
"""Bytes of one piece of an upload. Pieces of 1 MB are proven; X takes 1,000 of them."""


def upload(api: Api, parcel: Parcel, attachment: Attachment) -> tuple[str, bool]:
    """Uploads a file in pieces, with its alt text; returns X's name for it, and whether X is done with it."""
    told = {
        "media_type": attachment.mime, "total_bytes": attachment.size, "media_category": posts.category(attachment),
    }  # fmt: skip
    name = _media_id(api.post("/2/media/upload/initialize", json=told))
    tell = parcel.telling(attachment)
    with parcel.file(attachment).open("rb") as file:
        for number, piece in enumerate(iter(lambda: file.read(BLOCK), b"")):
            api.post(
                f"/2/media/upload/{name}/append", data={"segment_index": str(number)},
                files={"media": (unnamed(attachment.name), piece, attachment.mime)},
            )  # fmt: skip
            tell(file.tell())
    answer = api.post(f"/2/media/upload/{name}/finalize")
    name = _media_id(answer)
    if attachment.alt.strip():
        api.post("/2/media/metadata", json={"id": name, "metadata": {"alt_text": {"text": attachment.alt}}})
    return name, not _work_left(answer)


def _media_id(answer: Answer) -> str:
    name = table(table(answer.json()).get("data")).get("id")
    if not isinstance(name, str) or not name.isdecimal():
        raise TryLater("X took a file and did not say under which number.", detail=answer.text[:500])
    return name


def _work_left(answer: Answer) -> timedelta | None:
    """How long X wants to work on an upload before it is asked again; None: it is done.

    Raises:
        Rejected: X can't make anything of it.
    """
    about = table(table(table(answer.json()).get("data")).get("processing_info"))
    state, seconds = about.get("state"), about.get("check_after_secs")
    if state == "failed":
        words = table(about.get("error")).get("message")
        raise Rejected(
            f"X can’t make anything of a picture or video: “{words or 'processing failed'}”.",
            advice="Save it in another format (MP4 with H.264 and AAC) and put it in again.", detail=answer.text[:500],
        )  # fmt: skip
    if state not in ("pending", "in_progress"):
        return None
    return timedelta(seconds=seconds if isinstance(seconds, int) and 0 < seconds < 600 else 5)


def wait_for(api: Api, name: str, parcel: Parcel) -> None:
    """Asks whether X is done with an upload.

    Raises:
        TryLater: not yet. Rejected: it can't make anything of it.
    """
    pause = _work_left(api.get("/2/media/upload", {"command": "STATUS", "media_id": name}))
    if pause:
        raise unfinished("X", "a picture or video", parcel, pause)
