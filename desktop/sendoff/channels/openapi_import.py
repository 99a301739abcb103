"""Reads an OpenAPI document (3.0, 3.1, or Swagger 2.0) and fills in the form of an HTTP endpoint for each operation."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from sendoff.channels.http_endpoint_form import filled
from sendoff.domain.address import web_address
from sendoff.domain.channel import Preset
from sendoff.domain.errors import BadInput

MOST = 16 << 20
"""Bytes of a document that are read at most. GitHub's own description, one of the largest, has 12 MB."""

METHODS = ("post", "put", "patch", "delete", "get")
DEPTH = 6
"""How deep a body is written out; deeper parts are rarely demanded."""

TEXTS = ("text", "status", "message", "content", "body", "body_markdown", "markdown", "caption", "msg", "comment",
         "description", "note")  # fmt: skip
TITLES = ("title", "subject", "headline")
LINKS = ("link", "url", "click", "canonical_url")
IDS = ("id", "ts", "uuid", "guid", "event_id", "message_id")
URLS = ("url", "html_url", "permalink", "web_url")
OWN_KEY = re.compile(r"idempot|txn_?id|transaction_?id", re.IGNORECASE)
"""Names of parameters by which an endpoint knows a repeat. A request id is mostly for tracing, so it is none."""


def operations(document: bytes) -> list[Preset]:
    """A preset for each operation, in the document's order. Nothing that it names is fetched.

    Raises:
        BadInput: it is no OpenAPI document, or too large.
    """
    spec = Spec(_loaded(document))
    found = []
    for path, item in _table(spec.root.get("paths")).items():
        item = spec.resolved(item)
        for method in METHODS:
            if isinstance(item.get(method), dict) and path.startswith("/"):
                found.append(_preset(Operation(spec, path, method, item[method], item)))
    if not found:
        raise BadInput("That document describes no requests.")
    return found


def _loaded(document: bytes) -> Mapping[str, Any]:
    if len(document) > MOST:
        raise BadInput(f"That document is too large: {MOST >> 20} MB are read at most.")
    try:
        text = document.decode("utf-8-sig")
        found = json.loads(text) if text.lstrip()[:1] == "{" else _yaml(text)
    except (ValueError, RecursionError) as wrong:
        why = next(iter(str(wrong).splitlines()), "")
        raise BadInput(f"That is neither JSON nor YAML: {why}.") from None
    if not isinstance(found, dict) or not isinstance(found.get("paths"), dict):
        raise BadInput("That is no OpenAPI document: it has no “paths”.")
    version = str(found.get("openapi") or found.get("swagger") or "")
    if not re.match(r"3\.[01]|2\.0", version):
        raise BadInput(f"That is OpenAPI {version or 'without a version'}; 3.0, 3.1 and Swagger 2.0 can be read.")
    return found


def _yaml(text: str) -> Any:
    """YAML as JSON knows it: no dates, no tags, no merge keys, and “no” is a word.

    Raises:
        ValueError: it is none.
    """
    import yaml  # it takes a moment, and only an import needs it

    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    loader: Any = type("Plain", (base,), {"yaml_implicit_resolvers": {}})
    loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))
    loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:null|~|)$"), ["n", "~", ""])
    loader.add_implicit_resolver(
        "tag:yaml.org,2002:int", re.compile(r"^-?(?:0|[1-9][0-9]{0,17})$"), list("-0123456789")
    )
    try:
        return yaml.load(text, loader)  # noqa: S506  # a safe loader with fewer resolvers
    except yaml.YAMLError as wrong:
        mark = getattr(wrong, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark else ""
        raise ValueError(f"{where}{getattr(wrong, 'problem', None) or wrong}") from None


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


class Spec:
    """A document and its references to itself."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self.root = root
        self.is_old = "swagger" in root

    def resolved(self, node: Any) -> dict[str, Any]:
        """The node, or what it refers to within the document (RFC 6901); {} where that is elsewhere or a circle."""
        for _ in range(8):
            reference = node.get("$ref") if isinstance(node, dict) else None
            if not isinstance(reference, str):
                return _table(node)
            node = self.root if reference.startswith("#/") else None
            for step in reference[2:].split("/"):
                node = _table(node).get(step.replace("~1", "/").replace("~0", "~"))
        return {}

    def schema(self, node: Any, depth: int = DEPTH) -> dict[str, Any]:
        """A schema with what it is composed of laid together: all of allOf, the first of anyOf and oneOf."""
        found = dict(self.resolved(node))
        if depth <= 0:
            return found
        parts = [*_list(found.get("allOf")), *_list(found.get("oneOf"))[:1], *_list(found.get("anyOf"))[:1]]
        for part in parts:
            inner = self.schema(part, depth - 1)
            properties = {**_table(inner.get("properties")), **_table(found.get("properties"))}
            required = [*_list(found.get("required")), *_list(inner.get("required"))]
            found = {**inner, **found, "properties": properties, "required": required}
        return found


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path."""

    spec: Spec
    path: str
    method: str
    node: Mapping[str, Any]
    item: Mapping[str, Any]

    def parameters(self) -> Iterator[dict[str, Any]]:
        """The operation's own, then those of its path that it does not override."""
        seen = set()
        for one in [*_list(self.node.get("parameters")), *_list(self.item.get("parameters"))]:
            found = self.spec.resolved(one)
            place = (found.get("name"), found.get("in"))
            if all(isinstance(part, str) for part in place) and place not in seen:
                seen.add(place)
                yield found

    def body(self) -> tuple[str, dict[str, Any]]:
        """The body's media type and schema; "" where it has none. JSON is taken where there is a choice."""
        if self.spec.is_old:
            return self._old_body()
        content = _table(self.spec.resolved(self.node.get("requestBody")).get("content"))
        order = ("json", "x-www-form-urlencoded", "multipart", "text/", "")
        for wanted in order:
            for kind, about in content.items():
                if wanted in kind:
                    return kind, self.spec.schema(_table(about).get("schema"))
        return "", {}

    def _old_body(self) -> tuple[str, dict[str, Any]]:
        """Swagger 2.0 has bodies among the parameters."""
        fields = [one for one in self.parameters() if one["in"] == "formData"]
        whole = next((one for one in self.parameters() if one["in"] == "body"), None)
        kinds = [str(one) for one in _list(self.node.get("consumes") or self.spec.root.get("consumes"))]
        if whole is not None:
            return next((one for one in kinds if "json" in one), "application/json"), self.spec.schema(
                whole.get("schema")
            )
        if not fields:
            return "", {}
        has_file = any(one.get("type") == "file" for one in fields)
        schema = {
            "properties": {one["name"]: one for one in fields},
            "required": [one["name"] for one in fields if one.get("required") is True],
        }
        return "multipart/form-data" if has_file else "application/x-www-form-urlencoded", schema

    def answer(self) -> dict[str, Any]:
        """The schema of the first answer that means success."""
        for status, about in _table(self.node.get("responses")).items():
            if str(status).startswith("2"):
                found = self.spec.resolved(about)
                content = _table(found.get("content"))
                kind = next((one for one in content if "json" in one), "")
                return self.spec.schema(found.get("schema") or _table(content.get(kind)).get("schema"))
        return {}


def _preset(one: Operation) -> Preset:
    kind, schema = one.body()
    body_type, body = _body(one.spec, kind, schema)
    path, headers, key_header = _placed(one)
    auth = _auth(one)
    values = {
        "method": one.method.upper(), "url": _server(one) + path, "headers": "\n".join(headers),
        "body_type": body_type, "body": body, **auth, **_answer(one),
    }  # fmt: skip
    if key_header or "{{id}}" in path:
        values |= {"doubt": "key", "key_header": key_header}
    summary = str(one.node.get("summary") or one.node.get("operationId") or "").strip().splitlines()
    return filled(f"{one.method.upper()} {one.path}", summary[0][:200] if summary else "", values)


def _server(one: Operation) -> str:
    """The address that paths follow. What can't be used is left for the person to write."""
    root = one.spec.root
    if one.spec.is_old:
        schemes = [str(scheme) for scheme in _list(root.get("schemes"))] or ["https"]
        scheme = "https" if "https" in schemes else schemes[0]
        wanted = f"{scheme}://{root.get('host') or 'YOUR-SERVER'}{root.get('basePath') or ''}"
    else:
        servers = [*_list(one.node.get("servers")), *_list(one.item.get("servers")), *_list(root.get("servers"))]
        server = _table(next(iter(servers), {}))
        wanted = str(server.get("url") or "/")
        for name, about in _table(server.get("variables")).items():
            wanted = wanted.replace(f"{{{name}}}", str(_table(about).get("default") or _mark(name)))
        if wanted.startswith("/"):
            wanted = f"https://YOUR-SERVER{wanted}"
    wanted = re.sub(r"\{(\w+)\}", lambda hit: _mark(hit[1]), wanted.split("?")[0].split("#")[0])
    wanted = re.sub(r"(?<=://)([\w-]+\.)*example\.(org|com|net)(?=[:/]|$)", "YOUR-SERVER", wanted)
    try:
        is_safe = bool(web_address(wanted)) and not _is_private(wanted)
    except BadInput:  # plain http to another computer, or no address at all
        is_safe = False
    if is_safe:
        return wanted.rstrip("/")
    rest = re.sub("^[a-z]+://[^/]*", "", wanted)
    return f"https://YOUR-SERVER{rest if rest.startswith('/') else ''}".rstrip("/")


def _is_private(url: str) -> bool:
    """Whether an address names a host of somebody's own network by its number: a document from elsewhere may not."""
    try:
        found = ipaddress.ip_address(urlsplit(url).hostname or "")
    except ValueError:
        return False
    return not found.is_global and not found.is_loopback


def _mark(name: str) -> str:
    """What stands where only the person knows the value."""
    words = re.sub("[^A-Z0-9]+", "-", re.sub("(?<=[a-z])(?=[A-Z])", "-", name).upper()).strip("-")
    return f"YOUR-{words or 'VALUE'}"


def _placed(one: Operation) -> tuple[str, list[str], str]:
    """The path with its query, the headers, and the header by which a repeat is known."""
    path, query, headers, key_header = one.path, [], [], ""
    for parameter in one.parameters():
        name, place = parameter["name"], parameter["in"]
        is_required = parameter.get("required") is True
        is_key = bool(OWN_KEY.search(name))
        if place == "header" and is_key:
            key_header = key_header or name
        elif place == "path":
            path = path.replace(f"{{{name}}}", _own_id(one, name) or _known(one, parameter))
        elif is_required and place == "query":
            query.append(f"{quote(name, safe='')}={_known(one, parameter)}")
        elif is_required and place == "header" and name.lower() not in _BY_SIGN_IN:
            headers.append(f"{name}: {_known(one, parameter)}")
    path = re.sub(r"(?<!\{)\{(\w+)\}(?!\})", lambda hit: _own_id(one, hit[1]) or _mark(hit[1]), path)
    return path + (f"?{'&'.join(query)}" if query else ""), headers, key_header


def _own_id(one: Operation, name: str) -> str:
    """The part's own id, where a PUT is told by one; else ""."""
    return "{{id}}" if one.method == "put" and OWN_KEY.search(name) else ""


_BY_SIGN_IN = frozenset({"authorization", "content-type", "accept", "token"})
"""Headers that the sign-in or the body decides."""


def _known(one: Operation, parameter: Mapping[str, Any]) -> str:
    """A parameter's value where the document settles it, else a mark."""
    schema = one.spec.schema(parameter.get("schema")) or parameter
    value = _settled(schema)
    return (
        quote(_text(value), safe="")
        if value is not None and not isinstance(value, (dict, list))
        else _mark(parameter["name"])
    )


def _settled(schema: Mapping[str, Any]) -> Any:
    """A value that the schema settles: the only one, the usual one, or the first of few."""
    for name in ("const", "default"):
        if schema.get(name) is not None:
            return schema[name]
    choices = _list(schema.get("enum"))
    return choices[0] if choices else None


def _text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, bool) else str(value)


def _body(spec: Spec, kind: str, schema: Mapping[str, Any]) -> tuple[str, str]:
    """The body's type in the form, and its template."""
    if not kind:
        return "none", ""
    if "json" in kind:
        made = _Sample(spec).of(schema)
        return "json", json.dumps({"text": "{{text}}"} if made in ({}, None) else made, indent=2, ensure_ascii=False)
    if "form-urlencoded" in kind or "multipart" in kind:
        made = _Sample(spec, flat=True, files="multipart" in kind).of(schema)
        lines = [
            f"{name}={value if isinstance(value, str) else json.dumps(value)}" for name, value in _table(made).items()
        ]
        return "multipart" if "multipart" in kind else "form", "\n".join(lines) or "text={{text}}"
    return "raw", "{{media}}" if schema.get("format") == "binary" else "{{text}}"


class _Sample:
    """Writes a body out: what is required, and what looks like a place for the post. Each field is used once.

    Args:
        flat: a form has no lists; a value stands for one of several.
        files: it can hold some.
    """

    def __init__(self, spec: Spec, *, flat: bool = False, files: bool = False) -> None:
        self._spec, self._flat, self._files = spec, flat, files
        self._used: set[str] = set()

    def of(self, node: Any, name: str = "value", depth: int = DEPTH) -> Any:
        schema = self._spec.schema(node)
        value = _settled(schema)
        if value is not None:
            return value
        kind = schema.get("type")
        kind = kind[0] if isinstance(kind, list) and kind else kind
        if depth > 0 and (kind == "object" or schema.get("properties")):
            return self._object(schema, depth)
        if kind == "array":
            if self._flat:
                return self.of(schema.get("items"), name, depth - 1) if depth > 0 else _mark(name)
            return [self.of(schema.get("items"), name, depth - 1)] if depth > 0 and schema.get("minItems") else []
        if kind == "boolean":
            return False
        return self._place(name, schema) or _mark(name)

    def _object(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        properties = _table(schema.get("properties"))
        required = [name for name in _list(schema.get("required")) if isinstance(name, str)]
        made: dict[str, Any] = {}
        for name, node in properties.items():
            about = self._spec.schema(node)
            if about.get("readOnly") is True:
                continue
            if name in required:
                made[name] = self.of(node, name, depth - 1)
            elif (_is_text(about) or self._is_file(about)) and (field := self._place(name, about)):
                made[name] = field
            elif depth == DEPTH and not _holds_text(self._spec, schema) and _holds_text(self._spec, about):
                made[name] = self._object(about, depth - 1)  # a wrapper: {"article": {"title": …}}
        return made

    def _is_file(self, schema: Mapping[str, Any]) -> bool:
        return self._files and (schema.get("format") == "binary" or schema.get("type") == "file")

    def _place(self, name: str, schema: Mapping[str, Any]) -> str:
        """The post's field that belongs there, "" if none does."""
        if self._is_file(schema):
            return self._once("media", "{{media|}}")
        if OWN_KEY.search(name):
            return self._once("id", "{{id}}")
        for field, known in (("text", TEXTS), ("title", TITLES), ("link", LINKS)):
            if _is_text(schema) and name.lower() in known:
                return self._once(field, "{{text}}" if field == "text" else f"{{{{{field}|}}}}")
        return ""

    def _once(self, field: str, written: str) -> str:
        if field in self._used:
            return ""
        self._used.add(field)
        return written


def _is_text(schema: Mapping[str, Any]) -> bool:
    kind = schema.get("type")
    return kind == "string" or (isinstance(kind, list) and "string" in kind)


def _holds_text(spec: Spec, schema: Mapping[str, Any]) -> bool:
    return any(
        name.lower() in TEXTS and _is_text(spec.schema(node)) for name, node in _table(schema.get("properties")).items()
    )


def _answer(one: Operation) -> dict[str, str]:
    """Where the id and the web address stand in the answer, at the top or in its first wrapper."""
    schema = one.answer()
    found: dict[str, str] = {}
    for field, known in (("id_at", IDS), ("url_at", URLS)):
        for prefix, properties in _levels(one.spec, schema):
            name = next((one for one in known if one in properties), None)
            if name:
                found[field] = f"{prefix}/{name}"
                break
    if "ok" in _table(schema.get("properties")):  # it answers 200 to a refusal, too
        found |= {"success_at": "/ok", "success_is": "true"}
    return found


def _levels(spec: Spec, schema: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    top = _table(schema.get("properties"))
    yield "", top
    for name, node in top.items():
        if name in ("data", "result", "message", "post", "item", "response"):
            yield f"/{name}", _table(spec.schema(node).get("properties"))


def _auth(one: Operation) -> dict[str, str]:
    """The first way to sign in that the operation takes and this program can."""
    root = one.spec.root
    schemes = _table(root.get("securityDefinitions") or _table(root.get("components")).get("securitySchemes"))
    wanted = one.node.get("security", root.get("security"))
    for choice in _list(wanted):
        for name in _table(choice):
            found = _scheme(one.spec.resolved(schemes.get(name)))
            if found:
                return found
    return {"auth": "none"}


def _scheme(about: Mapping[str, Any]) -> dict[str, str]:
    kind, place = about.get("type"), about.get("in")
    scheme = str(about.get("scheme", "")).lower()
    if kind == "basic" or (kind == "http" and scheme == "basic"):
        return {"auth": "basic"}
    if kind == "apiKey" and place in ("header", "query"):
        name = str(about.get("name", ""))
        if name.lower() == "authorization":  # mostly a scheme's word and a key, which only the person knows
            return {"auth": "header", "key_name": name}
        return {"auth": place, "key_name": name}
    if kind == "oauth2":
        flow = _table(_table(about.get("flows")).get("clientCredentials"))
        if not flow and about.get("flow") == "application":
            flow = dict(about)
        if _is_address(flow.get("tokenUrl")):
            scope = " ".join(map(str, _table(flow.get("scopes"))))
            return {"auth": "client_credentials", "token_url": flow["tokenUrl"], "scope": scope}
    return {"auth": "bearer"} if kind in ("oauth2", "openIdConnect") or scheme == "bearer" else {}


def _is_address(text: Any) -> bool:
    try:
        return isinstance(text, str) and bool(web_address(text)) and "://" in text
    except BadInput:
        return False
