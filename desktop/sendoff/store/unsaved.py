"""Changes to planned posts that the person has not saved yet: one small file each, so that a crash loses nothing."""

from __future__ import annotations

from pathlib import Path

import msgspec

from sendoff.domain.post import Post
from sendoff.store import codec
from sendoff.store.secrets import replace_file

_post = msgspec.json.Decoder(Post)


class Unsaved:
    """The folder `unsaved` of a profile. What is planned does not change by it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "unsaved"

    def keep(self, post: Post) -> None:
        """Keeps the changed post; `version` is the one that was changed."""
        self._folder.mkdir(exist_ok=True, mode=0o700)
        replace_file(self._place(post.id), codec.encode(post).encode())

    def read(self, post_id: int) -> Post | None:
        """What was kept for a post; None if there is nothing, or nothing that can be read."""
        try:
            return _post.decode(self._place(post_id).read_bytes())
        except (OSError, msgspec.MsgspecError):
            return None

    def every(self) -> list[Post]:
        """All that is kept and can be read."""
        numbers = (file.stem for file in self._folder.glob("*.json"))
        found = (self.read(int(number)) for number in numbers if number.isdecimal())
        return [post for post in found if post is not None]

    def forget(self, post_id: int) -> None:
        self._place(post_id).unlink(missing_ok=True)

    def _place(self, post_id: int) -> Path:
        return self._folder / f"{int(post_id)}.json"
