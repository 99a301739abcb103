"""The form of an HTTP endpoint, and how a few known services fill it in."""

from __future__ import annotations

from collections.abc import Mapping

from sendoff.channels.http_endpoint_setup import METHODS
from sendoff.domain.channel import Field, Kind, Option, Preset

HEADERS, ANSWER, LOST, MORE = "Headers", "What the answer means", "When an answer gets lost", "Advanced"

FIELDS = (
    Field("method", "Method", Kind.CHOICE, default="POST", choices=tuple((one, one) for one in METHODS)),
    Field(
        "url", "Address", required=False, placeholder="https://api.example.org/posts",
        help="https, or http to this computer. The post’s fields may stand behind the host: /posts/{{id}}.",
        shown=(
            "auth", ("none", "bearer", "basic", "header", "query", "client_credentials", "code", "webhooks", "hub"),
        ),
    ),
    Field(
        "auth", "Sign-in", Kind.CHOICE, default="none",
        choices=(
            ("none", "None"), ("bearer", "Bearer token"), ("basic", "User name and password (Basic)"),
            ("header", "API key in a header"), ("query", "API key in the address"),
            ("client_credentials", "OAuth 2.0 client credentials"), ("code", "OAuth 2.0 in the browser (PKCE)"),
            ("webhooks", "Signature (Standard Webhooks)"), ("hub", "Signature as GitHub’s (X-Hub-Signature-256)"),
            ("address", "The address itself is the secret"),
        ),
    ),
    Field("key_name", "Name of the key", required=False, placeholder="X-API-Key", shown=("auth", ("header", "query"))),
    Field(
        "authorize_url", "Address to sign in at", required=False,
        placeholder="https://auth.example.org/authorize", shown=("auth", ("code",)),
        help="The page that your browser opens, with parameters behind a “?” where it wants some.",
    ),
    Field(
        "username", "User name or client ID", required=False, shown=("auth", ("basic", "client_credentials", "code")),
    ),
    Field(
        "token_url", "Address that hands out tokens", Kind.ADDRESS, required=False,
        placeholder="https://auth.example.org/token", shown=("auth", ("client_credentials", "code")),
    ),
    Field("scope", "Scope", required=False, shown=("auth", ("client_credentials", "code"))),
    Field(
        "redirect_port", "Port for the way back", Kind.NUMBER, required=False, shown=("auth", ("code",)),
        help="Where the service wants to know the redirect address before: http://127.0.0.1:PORT/callback.",
    ),
    Field(
        "secret", "Key", Kind.SECRET, required=False,
        help="The token, password, key, client or signing secret, or secret address. {{secret}} puts it elsewhere.",
        shown=(
            "auth",
            ("bearer", "basic", "header", "query", "client_credentials", "code", "webhooks", "hub", "address"),
        ),
    ),
    Field("oauth", "Browser sign-in", Kind.SECRET, required=False, advanced=True, hidden=True),
    Field(
        "body_type", "Body", Kind.CHOICE, default="json",
        choices=(
            ("json", "JSON"), ("form", "Form (name=value)"), ("multipart", "Multipart, with files"), ("xml", "XML"),
            ("raw", "Text, or one file"), ("none", "None"),
        ),
    ),
    Field(
        "body", "Template", Kind.LINES, required=False, placeholder='{"text": "{{text}}"}',
        help="JSON as it leaves, or name=value on each line. {{text}} {{title}} {{link}} {{tags}} {{media}} {{id}} …; "
        "{{title|}} leaves it out where there is none.",
        shown=("body_type", ("json", "form", "multipart", "xml", "raw")),
    ),
    Field(
        "headers", "Headers", Kind.LINES, required=False, advanced=True, fold=HEADERS, placeholder="X-Channel: news",
        help="Name: value on each line. Keys belong into the field for the key.",
    ),
    Field(
        "success", "Status", required=False, advanced=True, fold=ANSWER, placeholder="200-299",
        help="Those that say that it was taken, like 201, 202.",
    ),
    Field(
        "success_at", "Proof", required=False, advanced=True, fold=ANSWER, placeholder="/ok",
        help="Where the answer says so besides: a JSON pointer, or header:Name. Empty: its whole text.",
    ),
    Field("success_is", "What stands there", required=False, advanced=True, fold=ANSWER, placeholder="true"),
    Field(
        "id_at", "Its id", required=False, advanced=True, fold=ANSWER, placeholder="/data/id",
        help="A JSON pointer (RFC 6901), or header:Location. An answer without it is no success.",
    ),
    Field("url_at", "Its web address", required=False, advanced=True, fold=ANSWER, placeholder="/data/url"),
    Field(
        "error_at", "Its words where it refuses", required=False, advanced=True, fold=ANSWER,
        placeholder="/error/message",
    ),
    Field(
        "doubt", "Then", Kind.CHOICE, default="ask", advanced=True, fold=LOST,
        choices=(
            ("ask", "Ask me: it can’t be found out"), ("key", "Send it again: it knows the same id again"),
            ("same", "Send it again: twice is as good as once"), ("look", "Look it up"),
        ),
    ),
    Field(
        "key_header", "Header with the id", required=False, advanced=True, fold=LOST, placeholder="Idempotency-Key",
        help="Empty where {{id}} stands in the address or the body.", shown=("doubt", ("key",)),
    ),
    Field(
        "key_form", "Written", Kind.CHOICE, default="bare", advanced=True, fold=LOST, shown=("doubt", ("key",)),
        choices=(("bare", "As it is"), ("quoted", "In quotes, as the IETF draft has it")),
    ),
    Field(
        "key_life", "Remembered for (minutes)", Kind.NUMBER, required=False, advanced=True, fold=LOST, default="1440",
        shown=("doubt", ("key",)),
    ),
    Field(
        "look_url", "Address to look at", required=False, advanced=True, fold=LOST, placeholder="/posts/{{id}}",
        help="Asked with GET. 404 means: not there.", shown=("doubt", ("look",)),
    ),
    Field(
        "look_in", "The list in its answer", required=False, advanced=True, fold=LOST, placeholder="/items",
        help="Empty where the answer is the list, or the post itself.", shown=("doubt", ("look",)),
    ),
    Field(
        "look_for", "Known by", required=False, advanced=True, fold=LOST, placeholder="/reference",
        help="Where a post there has what tells it.", shown=("doubt", ("look",)),
    ),
    Field(
        "look_is", "What stands there", required=False, advanced=True, fold=LOST, default="{{id}}",
        shown=("doubt", ("look",)),
    ),
    Field(
        "look_id", "Its id there", required=False, advanced=True, fold=LOST, default="/id", shown=("doubt", ("look",)),
    ),
    Field(
        "check_url", "Address to check the key", required=False, advanced=True, fold=MORE, placeholder="/me",
        help="Asked with GET on signing in and checking; it must have no effect.",
    ),
    Field("text_limit", "Longest text", Kind.NUMBER, required=False, advanced=True, fold=MORE),
    Field(
        "text_unit", "Counted in", Kind.CHOICE, default="codepoints", advanced=True, fold=MORE,
        choices=(("codepoints", "Characters"), ("bytes", "Bytes")),
    ),
    Field(
        "ca_file", "CA file", Kind.FILE, required=False, advanced=True, fold=MORE,
        help="For a server of your own with an authority of your own (PEM).",
    ),
)  # fmt: skip

OPTIONS = (
    Option("title", "Title", help="Where the request has {{title}}.", sample="A test"),
    Option(
        "link", "Link", help="Where it has {{link}}; else the first link in the text.", sample="https://example.org/"
    ),
)

EMPTY: Mapping[str, str] = {one.name: one.default for one in FIELDS if not one.secret}
"""The form as it begins; a preset lays its own over it, so that nothing of another one stays."""


def filled(name: str, help_text: str, values: Mapping[str, str]) -> Preset:
    """A preset that sets every field."""
    return Preset(name, {**EMPTY, **values}, help=help_text)


PRESETS = (
    # docs.slack.dev/messaging/sending-messages-using-incoming-webhooks, checked 2026-11-23: the text "ok", no id.
    # Text beyond 40,000 characters is cut; & < > are written as entities.
    filled(
        "Slack incoming webhook",
        "In Slack: api.slack.com/apps → your app → Incoming Webhooks → copy the whole address into the field below.",
        {
            "auth": "address", "body": '{"text": "{{escaped}}"}', "success_is": "ok", "text_limit": "40000",
        },
    ),
    # docs.ntfy.sh/publish, "Publish as JSON", checked 2026-11-26. Longer messages become attachments.
    filled(
        "ntfy",
        "Write your topic instead of YOUR-TOPIC, and your own server’s address if you have one. A topic with a "
        "token: choose Bearer token as sign-in.",
        {
            "url": "https://ntfy.sh/", "id_at": "/id", "text_limit": "4096", "text_unit": "bytes",
            "body": '{"topic": "YOUR-TOPIC", "message": "{{text}}", "title": "{{title|}}", "click": "{{link|}}"}',
        },
    ),
    # gotify.net/docs/pushmsg and gotify.net/api-docs (createMessage), checked 2026-11-26.
    filled(
        "Gotify",
        "In Gotify: Apps → Create application; its token is the key. Write your server instead of YOUR-SERVER.",
        {
            "url": "https://YOUR-SERVER/message", "auth": "header", "key_name": "X-Gotify-Key", "id_at": "/id",
            "body": '{"message": "{{text}}", "title": "{{title|}}"}',
        },
    ),
    # spec.matrix.org, PUT /rooms/{roomId}/send/{eventType}/{txnId}, checked 2026-11-23: the same transaction id again
    # gives the same event. Servers remember answers for half an hour at least; an event has 65,536 bytes at most.
    filled(
        "Matrix room",
        "Write your homeserver instead of YOUR-HOMESERVER and the room’s id (Room settings → Advanced) instead of "
        "YOUR-ROOM-ID. The key is an access token. It can’t post into encrypted rooms so that it could be read.",
        {
            "method": "PUT", "auth": "bearer", "id_at": "/event_id", "error_at": "/error",
            "url": "https://YOUR-HOMESERVER/_matrix/client/v3/rooms/YOUR-ROOM-ID/send/m.room.message/{{id}}",
            "body": '{"msgtype": "m.text", "body": "{{text}}"}', "check_url": "/_matrix/client/v3/account/whoami",
            "doubt": "key", "key_life": "30", "text_limit": "60000", "text_unit": "bytes",
        },
    ),
)  # fmt: skip
