"""The HTML of a mail made safe for looking at: how it looks stays, what acts or fetches goes."""

from __future__ import annotations

import re


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[\w-]+", text))


_TAGS = _words(
    """
    a abbr b big blockquote br center cite code dd del div dl dt em font h1 h2 h3 h4 h5 h6 hr i img ins kbd li ol p
    pre s samp small span strike strong sub sup table tbody td tfoot th thead tr tt u ul var
    """
)
_ATTRIBUTES: dict[str, set[str]] = {
    "*": {"align", "bgcolor", "class", "dir", "height", "lang", "style", "title", "valign", "width"},
    "a": {"href", "name"},
    "font": {"color", "face", "size"},
    "img": {"alt", "src"},
    "ol": {"start", "type"},
    "table": {"border", "cellpadding", "cellspacing"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
}
_STYLES = _words(
    """
    background background-color border border-bottom border-collapse border-color border-left border-right
    border-style border-top border-width color display float font font-family font-size font-style font-weight
    height line-height list-style list-style-type margin margin-bottom margin-left margin-right margin-top padding
    padding-bottom padding-left padding-right padding-top text-align text-decoration text-indent text-transform
    vertical-align white-space width
    """
)
_LEFT_OUT = {"applet", "head", "iframe", "noscript", "object", "script", "style", "template", "textarea", "title"}
_STYLE_TAG = re.compile(r"<style\b[^>]*>(.*?)</style\s*>", re.IGNORECASE | re.DOTALL)
_FETCHES = re.compile(r"@import\b[^;}]*;?|\burl\s*\([^)]*\)?|\\[0-9a-f]", re.IGNORECASE)
"""What makes a style fetch something; and escapes, behind which that could hide."""


def sanitised(source: str) -> str:
    """The HTML of a mail for showing: words, tables, pictures, links and how they look; nothing that acts.

    Scripts, forms, frames and event handlers are gone. Pictures are left only where they are named by cid: or
    https:/http:; who shows the result decides what is fetched. Links lead to the web or to a mailbox. What a mail hides
    from the eye (a preheader) is left out.
    """
    import nh3

    styles = "\n".join(_FETCHES.sub("", found).replace("<", "") for found in _STYLE_TAG.findall(source))
    body = re.sub(r"<(/?)body\b", r"<\1div", source, flags=re.IGNORECASE)  # its colours would be lost
    clean = nh3.clean(
        body,
        tags=set(_TAGS),
        clean_content_tags=_LEFT_OUT,
        attributes=_ATTRIBUTES,
        attribute_filter=_kept,
        url_schemes={"cid", "http", "https", "mailto", "tel"},
        link_rel=None,
    )
    shown = _without_hidden(clean)
    return f"<style>{styles}</style>{shown}" if styles.strip() else shown


_TAG = re.compile(r'<(?P<close>/?)(?P<name>[a-z0-9]+)(?P<rest>(?:[^">]|"[^"]*")*)>')
_VOID = frozenset(("br", "col", "hr", "img"))
_HIDES = re.compile(r'\bstyle="[^"]*\bdisplay: none\b', re.IGNORECASE)


def _without_hidden(clean: str) -> str:
    """Leaves out elements with display: none. Takes balanced HTML, as the sanitiser writes it."""
    kept, start, depth = [], 0, 0
    for tag in _TAG.finditer(clean):
        if tag["name"] in _VOID:
            continue
        if depth:
            depth += -1 if tag["close"] else 1
            if depth == 0:
                start = tag.end()
        elif not tag["close"] and _HIDES.search(tag["rest"]):
            kept.append(clean[start : tag.start()])
            depth = 1
    return "".join(kept) + ("" if depth else clean[start:])


def _kept(tag: str, name: str, value: str) -> str | None:
    """An attribute as it may stay; of a style only what says how something looks."""
    if name == "style":
        declared = (part.partition(":") for part in _FETCHES.sub("", value).split(";"))
        known = (f"{key.strip()}: {what.strip()}" for key, _, what in declared if key.strip().lower() in _STYLES)
        return "; ".join(known) or None
    scheme = value.strip().lower().partition(":")[0]
    if tag == "img" and name == "src" and scheme not in ("cid", "http", "https"):
        return None
    return value
