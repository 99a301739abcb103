"""Posts and their variants: one door in, one door out, and the search over their words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from sendoff.domain.errors import NotFound, Refused
from sendoff.domain.post import Content, Plan, Post, Variant
from sendoff.store import changes, codec
from sendoff.store.tables import deliveries, inserted_id, posts, variants


def insert(
    connection: sa.Connection,
    workspace_id: int,
    content: Content,
    chosen: Iterable[Variant],
    plan: Plan,
    now: datetime,
) -> int:
    """Stores a new draft and returns its id."""
    result = connection.execute(
        sa.insert(posts).values(
            workspace_id=workspace_id, is_draft=True, created_at=now, updated_at=now, **_written(content, plan)
        )
    )
    post_id = inserted_id(result)
    _write_variants(connection, post_id, chosen)
    index(connection, {post_id: content})
    changes.bump(connection, changes.POSTS)
    return post_id


def update(
    connection: sa.Connection,
    post_id: int,
    content: Content,
    chosen: Iterable[Variant],
    plan: Plan,
    now: datetime,
    *,
    expected: int | None = None,
) -> int:
    """Stores an edit and returns the new version.

    Raises:
        Refused: the post was edited elsewhere since `expected`; nothing was stored.
        NotFound: it was deleted.
    """
    guard = posts.c.id == post_id
    if expected is not None:
        guard &= posts.c.version == expected
    changed = connection.execute(
        sa.update(posts).where(guard).values(version=posts.c.version + 1, updated_at=now, **_written(content, plan))
    )
    if changed.rowcount == 0:
        get(connection, post_id)
        raise Refused("This post was changed in another window meanwhile. Open it again to see the newer text.")
    connection.execute(sa.delete(variants).where(variants.c.post_id == post_id))
    _write_variants(connection, post_id, chosen)
    index(connection, {post_id: content})
    changes.bump(connection, changes.POSTS)
    return int(connection.execute(sa.select(posts.c.version).where(posts.c.id == post_id)).scalar_one())


def _written(content: Content, plan: Plan) -> dict[str, Any]:
    return {
        "content": codec.encode(content),
        "excerpt": content.excerpt(),
        "plan_words": plan.words,
        "plan_zone": plan.zone,
        "plan_late": plan.late,
    }


def _write_variants(connection: sa.Connection, post_id: int, chosen: Iterable[Variant]) -> None:
    rows = [
        {
            "post_id": post_id,
            "account_id": variant.account_id,
            "content": codec.encode(variant.content) if variant.content else None,
            "options": codec.encode(variant.options),
        }
        for variant in chosen
    ]
    if rows:
        connection.execute(sa.insert(variants), rows)


def set_draft(connection: sa.Connection, post_id: int, is_draft: bool) -> None:
    connection.execute(sa.update(posts).where(posts.c.id == post_id).values(is_draft=is_draft))
    changes.bump(connection, changes.POSTS)


def delete(connection: sa.Connection, post_id: int) -> None:
    """Deletes a draft.

    Raises:
        Refused: it has deliveries, which are history.
    """
    if connection.execute(sa.select(deliveries.c.id).where(deliveries.c.post_id == post_id).limit(1)).first():
        raise Refused("This post has deliveries. Cancel those; what was sent stays in Activity.")
    connection.execute(sa.delete(posts).where(posts.c.id == post_id))
    changes.bump(connection, changes.POSTS)


def get(connection: sa.Connection, post_id: int) -> Post:
    """One post.

    Raises:
        NotFound: there is none with this id.
    """
    found = get_many(connection, [post_id])
    if not found:
        raise NotFound(f"There is no post {post_id}.")
    return found[post_id]


def get_many(connection: sa.Connection, ids: Iterable[int]) -> dict[int, Post]:
    wanted = list(ids)
    chosen: dict[int, list[Variant]] = {}
    for row in connection.execute(_VARIANTS, {"ids": wanted}):
        content = codec.content(row.content) if row.content else None
        chosen.setdefault(row.post_id, []).append(Variant(row.account_id, content, codec.mapping(row.options)))
    return {
        row.id: Post(
            id=row.id,
            workspace_id=row.workspace_id,
            content=codec.content(row.content),
            version=row.version,
            created_at=row.created_at,
            updated_at=row.updated_at,
            variants=tuple(chosen.get(row.id, ())),
            plan=Plan(row.plan_words, row.plan_zone, row.plan_late),
        )
        for row in connection.execute(_POSTS, {"ids": wanted})
    }


_POSTS = sa.select(posts).where(posts.c.id.in_(sa.bindparam("ids", expanding=True)))
_VARIANTS = (
    sa.select(variants)
    .where(variants.c.post_id.in_(sa.bindparam("ids", expanding=True)))
    .order_by(variants.c.account_id)
)


_IS_DRAFT = sa.text("posts.is_draft")
"""Written as the index says it; “= 1” would read every post."""


def drafts(connection: sa.Connection, workspace_id: int | None = None, limit: int | None = None) -> list[Post]:
    """The drafts, last edited first."""
    wanted = sa.select(posts.c.id).where(_IS_DRAFT).order_by(posts.c.updated_at.desc()).limit(limit)
    if workspace_id is not None:
        wanted = wanted.where(posts.c.workspace_id == workspace_id)
    ids = list(connection.execute(wanted).scalars())
    found = get_many(connection, ids)
    return [found[post_id] for post_id in ids]


def draft_count(connection: sa.Connection, workspace_id: int | None = None) -> int:
    wanted = sa.select(sa.func.count()).select_from(posts).where(_IS_DRAFT)
    if workspace_id is not None:
        wanted = wanted.where(posts.c.workspace_id == workspace_id)
    return int(connection.execute(wanted).scalar_one())


def last_chosen(connection: sa.Connection, workspace_id: int) -> list[int]:
    """The accounts of the post that was planned last."""
    newest = (
        sa.select(deliveries.c.post_id)
        .join(posts, posts.c.id == deliveries.c.post_id)
        .where(posts.c.workspace_id == workspace_id)
        .order_by(deliveries.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    chosen = sa.select(deliveries.c.account_id).where(deliveries.c.post_id == newest).distinct()
    return list(connection.execute(chosen.order_by(deliveries.c.account_id)).scalars())


def index(connection: sa.Connection, found: Mapping[int, Content]) -> None:
    """Makes posts findable by their words, in place of what they were found by before."""
    connection.execute(sa.text("DELETE FROM posts_text WHERE rowid = :id"), [{"id": post_id} for post_id in found])
    connection.execute(
        sa.text("INSERT INTO posts_text (rowid, body) VALUES (:id, :body)"),
        [{"id": post_id, "body": "\n".join(_words(content))} for post_id, content in found.items()],
    )


def drop_old_words(connection: sa.Connection, *, begin: bool) -> bool:
    """Does a part of putting the index of words together anew, without those of what was deleted or is not written so
    any more, which stay in it until then. Says whether there is more to do. (Up to 20 ms of 10 MB.)

    https://www.sqlite.org/fts5.html#the_merge_command; since 3.42 there is secure-delete, which many systems lack.
    """
    raw: Any = connection.connection.driver_connection
    before = raw.total_changes
    connection.execute(_MERGE, {"pages": -MERGED if begin else MERGED})
    return bool(raw.total_changes - before >= 2)


_MERGE = sa.text("INSERT INTO posts_text (posts_text, rank) VALUES ('merge', :pages)")
MERGED = 64
"""Pages of the index that are put together at once."""


def _words(content: Content) -> list[str]:
    """What a post is found by."""
    words = [item.text for item in content.items] + [one.alt for one in content.attachments]
    if content.mail:
        words += [content.mail.subject, content.mail.preheader, content.mail.html]
    return words


def search(connection: sa.Connection, words: str, limit: int = 50, *, newest: bool = False) -> list[int]:
    """The posts in which all the words stand (the last one may be a beginning), best first, or newest first."""
    terms = re.findall(r"\w+", words)
    if not terms:
        return []
    query = " ".join(f'"{term}"' for term in terms) + "*"
    rows = connection.execute(_NEWEST if newest else _BEST, {"query": query, "limit": limit})
    return [int(row[0]) for row in rows]


_BEST = sa.text("SELECT rowid FROM posts_text WHERE posts_text MATCH :query ORDER BY rank LIMIT :limit")
_NEWEST = sa.text("SELECT rowid FROM posts_text WHERE posts_text MATCH :query ORDER BY rowid DESC LIMIT :limit")
