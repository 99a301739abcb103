"""Bluesky's video service: a film goes up there, is worked on, and comes to the account's own server as a blob.

Read in Bluesky's own description (docs.bsky.app, video; lexicons app.bsky.video.* at d6296a1c), 2026-11-27.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit

from sendoff.channels.bluesky_pds import Xrpc, error
from sendoff.channels.http import Answer, Http, Patience, Transport
from sendoff.channels.reading import moment, table
from sendoff.domain.channel import Parcel
from sendoff.domain.errors import Rejected, TryLater
from sendoff.domain.post import Attachment

SERVICE = "https://video.bsky.app"

KEPT = timedelta(minutes=50)
"""How long a film that came to the own server is relied on. An hour is what a server keeps a blob that no post took."""

LICENCE = timedelta(minutes=30)
"""How long the own server's permission to hand a film over is good; the upload has to end within it."""

AGAIN = timedelta(minutes=10)
"""When a film goes up once more that the service lost at once."""

SLOWEST = 200_000
"""Bytes a second at which the largest film still comes up in time."""

_FAILED = {
    "validation_failure": "It is no film that Bluesky can read. Save it as MP4 (H.264), up to three minutes.",
    "encoding_failure": "It is no film that Bluesky can read. Save it as MP4 (H.264), up to three minutes.",
    "pds_upload_unsupported_blob_size": "Your own server takes no file of that size. Take a shorter or smaller film.",
}


@dataclass(frozen=True, slots=True)
class Film:
    """A film as far as the service is with it: the job, when it was begun, and the blob once there is one."""

    job: str
    at: str
    blob: Mapping[str, Any]

    @property
    def kept(self) -> dict[str, Any]:
        """What is remembered until the next look."""
        return {"job": self.job, "at": self.at, "blob": dict(self.blob)} if self.job else {}


@dataclass(frozen=True, slots=True)
class Service:
    """The service as one account uses it: with permissions of the account's own server, each for one purpose."""

    transport: Transport
    base: str
    own: Xrpc
    did: str
    waits: tuple[float, ...]

    def film(self, parcel: Parcel, attachment: Attachment, known: Mapping[str, Any]) -> Film:
        """Uploads a film unless that was done a while ago, and waits a little for what becomes of it.

        Args:
            known: what was remembered of it.

        Raises:
            Rejected: the service can't or won't take it. NeedsLogin, TryLater.
        """
        now = parcel.now
        film = self._known(known, now)
        is_fresh = film is None
        if film is None:
            self._ask_whether(attachment, now)
            film = Film(self._uploaded(parcel, attachment), now.isoformat(), {})
        for pause in (0.0, *self.waits):
            if film.blob or not film.job:
                break
            time.sleep(pause)
            film = self._looked(film)
        if is_fresh and not film.job:
            raise TryLater("Bluesky’s video service lost the film that it had just taken.", after=AGAIN)
        return film

    def _known(self, known: Mapping[str, Any], now: datetime) -> Film | None:
        begun = moment(known.get("at"))
        if not known.get("job") or begun is None or now - begun > KEPT:
            return None
        return Film(str(known["job"]), str(known["at"]), table(known.get("blob")))

    def _permission(self, audience: str, method: str, now: datetime) -> str:
        """The own server's word for somebody that we may do one thing there (com.atproto.server.getServiceAuth)."""
        until = str(int((now + LICENCE).timestamp()))
        answer = self.own.get("com.atproto.server.getServiceAuth", aud=_did_of(audience), lxm=method, exp=until)
        token = table(answer.json()).get("token")
        if not isinstance(token, str) or not token:
            raise TryLater(f"{self.own.http.name} gave no permission to hand the film over.", detail=answer.text[:500])
        return token

    def _http(self, token: str = "", patience: Patience | None = None) -> Http:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return Http(self.transport, self.base, "Bluesky’s video service", headers, patience=patience)

    def _ask_whether(self, attachment: Attachment, now: datetime) -> None:
        """Whether the account may upload a film of that size today.

        Raises:
            Rejected: it may not. TryLater: not today.
        """
        name = "app.bsky.video.getUploadLimits"
        answer = self._http(self._permission(self.base, name, now)).read(f"/xrpc/{name}", ok=range(400, 500))
        found = table(answer.json())
        left, room = found.get("remainingDailyVideos"), found.get("remainingDailyBytes")
        said = found.get("message") or found.get("error")
        quoted = f": “{said}”." if isinstance(said, str) and said else "."
        is_full = left == 0 or (isinstance(room, int) and room < attachment.size)
        if is_full and found.get("canUpload") is not None:
            raise TryLater(f"Bluesky takes no more video from this account today{quoted}", after=timedelta(hours=1))
        if found.get("canUpload") is False or answer.status in (400, 401, 403):
            raise Rejected(
                f"Bluesky takes no video from this account{quoted}",
                advice="Confirm your mail address in the Bluesky app (Settings → Account), then send it again.",
                detail=answer.text[:500], status=answer.status,
            )  # fmt: skip

    def _uploaded(self, parcel: Parcel, attachment: Attachment) -> str:
        """The name of the job. A film that is there already has one, too: it is known by its content."""
        token = self._permission(self.own.http.base, "com.atproto.repo.uploadBlob", parcel.now)
        usual = self.transport.patience.with_files
        http = self._http(token, replace(usual, total=usual.total + attachment.size / SLOWEST))
        http.told = parcel.telling(attachment)
        called = f"did={quote(self.did, safe='')}&name={attachment.sha256[:12]}.mp4"
        with parcel.file(attachment).open("rb") as film:
            answer = http.read(
                f"/xrpc/app.bsky.video.uploadVideo?{called}", method="POST", data=film,
                headers={"Content-Type": attachment.mime}, ok=range(400, 500),
            )  # fmt: skip
        job = _job(answer).get("jobId")
        if isinstance(job, str) and job and answer.status in (200, 409):
            return job
        name, said = error(answer)
        if answer.status in (400, 401, 403, 413):
            raise Rejected(
                f"Bluesky’s video service does not take {attachment.name}: “{said or name or answer.status}”.",
                advice="Is it an MP4, and is your mail address confirmed in the Bluesky app?",
                detail=answer.text[:500], status=answer.status,
            )  # fmt: skip
        http.judge(answer, effect=False, words=said)
        raise TryLater(
            "Bluesky’s video service took a film and did not say under which name.", detail=answer.text[:500]
        )

    def _looked(self, film: Film) -> Film:
        """How far it is. A job that the service lost, or could not hand on, is forgotten: the film goes up again."""
        answer = self._http().read(f"/xrpc/app.bsky.video.getJobStatus?jobId={quote(film.job, safe='')}", ok=(400, 404))
        job = _job(answer)
        blob = table(job.get("blob"))
        if isinstance(table(blob.get("ref")).get("$link"), str):
            return replace(film, blob=blob)
        code, state = job.get("failureCode"), job.get("state")
        if answer.status != 200 or code == "pds_upload_failure":
            return Film("", "", {})
        if state == "JOB_STATE_FAILED":
            said = job.get("message") or job.get("error") or code
            raise Rejected(
                "Bluesky can’t make anything of the video" + (f": “{said}”." if isinstance(said, str) else "."),
                advice=_FAILED.get(str(code), "Save it in another form and put it in again."), detail=answer.text[:500],
            )  # fmt: skip
        return film


def _job(answer: Answer) -> dict[str, Any]:
    """A job's status: the lexicon has it under a name of its own, the service tells it plainly."""
    found = table(answer.json())
    return table(found.get("jobStatus")) or found


def _did_of(address: str) -> str:
    """The DID of a server: did:web with its host, as the reference server calls itself (packages/pds, config)."""
    return f"did:web:{urlsplit(address).hostname}"
