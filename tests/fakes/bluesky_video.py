"""Bluesky's video service on the loopback interface: it takes a film, works on it, hands it to the account's server.

    with VideoServer() as service:
        bluesky = Bluesky(context, videos=service.url)

What it does was read in docs.bsky.app (video) and in Bluesky's own app: the upload is answered with a plain job status,
a film that is there already with 409 and the name of its job, and a look with the status under `jobStatus`.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from sendoff.channels.fault_server import FaultServer, Reply, Request


@dataclass
class Job:
    """One film; `left` counts the looks for which it is still worked on. `asked` is the address that brought it."""

    id: str
    data: bytes
    asked: dict[str, str]
    token: str
    left: int
    blob: dict[str, Any] | None = None


@dataclass
class FakeVideo:
    """The service: an `Endpoint` of channels/fault_server.py.

    What a test may set: `works` (looks until a film is done), `limits` (the answer of getUploadLimits), `failure` (the
    failureCode of every job), `refusal` (status and error of every upload), `pds` (where films are handed to).
    """

    url: str = ""
    pds: str = ""
    works: int = 0
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    limits: dict[str, Any] = field(default_factory=lambda: {"canUpload": True, "remainingDailyVideos": 25,
                                                            "remainingDailyBytes": 10**10})  # fmt: skip
    failure: str = ""
    refusal: tuple[int, dict[str, Any]] | None = None
    jobs: dict[str, Job] = field(default_factory=dict)
    uploads: int = 0
    effects: list[Any] = field(default_factory=list)

    def is_effect(self, request: Request) -> bool:
        return False

    def handle(self, request: Request) -> Reply:
        parts = urlsplit(request.path)
        asked, name = dict(parse_qsl(parts.query)), parts.path.removeprefix("/xrpc/app.bsky.video.")
        if name == "getUploadLimits":
            wrong = self._wrong(request, self.url, "app.bsky.video.getUploadLimits")
            return wrong or _json(200, self.limits)
        if name == "uploadVideo" and request.method == "POST":
            return self._wrong(request, self.pds, "com.atproto.repo.uploadBlob") or self._upload(request, asked)
        if name == "getJobStatus":
            job = self.jobs.get(asked.get("jobId", ""))
            return self._status(job) if job else _json(400, {"error": "InvalidRequest", "message": "job not found"})
        return _json(501, {"error": "MethodNotImplemented"})

    def _wrong(self, request: Request, audience: str, method: str) -> Reply | None:
        """The refusal of a permission for somebody else, for something else, or that is over."""
        said = _token(request).split(".")
        try:
            told = json.loads(base64.urlsafe_b64decode(said[1] + "=" * (-len(said[1]) % 4)))
        except (IndexError, ValueError):
            return _json(401, {"error": "AuthMissing"})
        meant = (f"did:web:{urlsplit(audience).hostname}", method)
        is_over = told["exp"] < self.now().timestamp()
        return None if (told["aud"], told["lxm"]) == meant and not is_over else _json(401, {"error": "BadJwt"})

    def _upload(self, request: Request, asked: dict[str, str]) -> Reply:
        self.uploads += 1
        if self.refusal:
            return _json(*self.refusal)
        name = hashlib.sha256(request.body).hexdigest()[:20]
        if name in self.jobs:
            done = self.jobs[name].blob is not None
            state = "JOB_STATE_COMPLETED" if done else "JOB_STATE_ENCODING"
            return _json(409, {"jobId": name, "did": asked["did"], "state": state, "error": "already_exists"})
        self.jobs[name] = Job(name, request.body, asked, _token(request), self.works)
        return _json(200, {"jobId": name, "did": asked["did"], "state": "JOB_STATE_CREATED"})

    def _status(self, job: Job) -> Reply:
        told: dict[str, Any] = {"jobId": job.id, "did": job.asked["did"], "state": "JOB_STATE_ENCODING", "progress": 40}
        if self.failure:
            told |= {"state": "JOB_STATE_FAILED", "failureCode": self.failure, "message": "Could not do it"}
        elif job.left > 0:
            job.left -= 1
        else:
            job.blob = job.blob or _handed_over(self.pds, job)
            told |= {"state": "JOB_STATE_COMPLETED", "blob": job.blob}
        return _json(200, {"jobStatus": told})


class VideoServer(FaultServer):
    """A fake video service that listens."""

    endpoint: FakeVideo

    def __init__(self, pds: str, **more: Any) -> None:
        super().__init__(FakeVideo(pds=pds, **more))
        self.endpoint.url = self.url

    def __enter__(self) -> VideoServer:
        return self


def _handed_over(pds: str, job: Job) -> dict[str, Any]:
    """Uploads the film to the account's server, by the permission that came with it."""
    where = urlsplit(pds)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=10)
    headers = {"Content-Type": "video/mp4", "Authorization": f"Bearer {job.token}"}
    connection.request("POST", "/xrpc/com.atproto.repo.uploadBlob", job.data, headers)
    found: dict[str, Any] = json.loads(connection.getresponse().read())
    connection.close()
    assert "blob" in found, found
    blob: dict[str, Any] = found["blob"]
    return blob


def _token(request: Request) -> str:
    found = next((value for name, value in request.headers.items() if name.lower() == "authorization"), "")
    return found.removeprefix("Bearer ")


def _json(status: int, found: Any) -> Reply:
    return Reply(status, json.dumps(found).encode(), {"Content-Type": "application/json"})
