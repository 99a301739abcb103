"""Files on Mastodon and its kin: uploaded with their words, and waited for."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from sendoff.channels.http import Answer, Http, Patience
from sendoff.channels.mastodon_servers import words
from sendoff.channels.multipart import FileForm, FormFile, unnamed
from sendoff.channels.reading import table
from sendoff.domain.channel import Parcel
from sendoff.domain.errors import Rejected, TryLater
from sendoff.domain.post import Attachment


def upload(http: Http, patience: Patience, parcel: Parcel, attachment: Attachment) -> tuple[str, bool]:
    """The id that the server gave to a file, and whether it is done with it."""
    fields = {"description": attachment.alt} if attachment.alt else {}
    form = FileForm(fields, FormFile("file", parcel.file(attachment), unnamed(attachment.name), attachment.mime))
    patient = replace(http, patience=patience.with_files, told=parcel.telling(attachment))
    request: dict[str, Any] = {"method": "POST", "data": form, "headers": {"Content-Type": form.content_type}}
    answer = patient.read("/api/v2/media", ok=(404,), **request)
    if answer.status == 404:  # Friendica has the first version alone
        answer = patient.read("/api/v1/media", **request)
    name = table(answer.json()).get("id")
    if not isinstance(name, str) or not name:
        raise TryLater(f"{http.name} took a picture and did not say under which name.", detail=answer.text[:500])
    return name, answer.status != 202


def waited(http: Http, pending: list[str], pauses: Iterable[float]) -> list[str]:
    """What the server still works on after a while.

    Args:
        pauses: seconds between the looks.
    """
    for pause in pauses:
        pending = [name for name in pending if not is_processed(http, name)]
        if not pending:
            break
        time.sleep(pause)
    return pending


def is_unfinished(answer: Answer) -> bool:
    """The refusal of pictures that are not ready: 422 “Cannot attach files that have not finished processing …”."""
    return answer.status == 422 and "not finished processing" in words(answer)


def is_processed(http: Http, name: str) -> bool:
    """Whether the server is done with an upload (206: not yet). One that it no longer knows is no reason to wait.

    Raises:
        Rejected: it could not make anything of the file.
    """
    answer = http.read(f"/api/v1/media/{name}", ok=(404, 422))
    if answer.status == 422:
        raise Rejected(
            f"{http.name} can’t make anything of a picture or video: “{words(answer) or 'processing failed'}”.",
            advice="Save it in another format and put it in again.", status=422,
        )  # fmt: skip
    return answer.status != 206
