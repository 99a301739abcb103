"""What to fill in for the customers of well-known mail providers.

Servers and ports are those that the providers publish, as collected in Thunderbird's list of presets
(github.com/thunderbird/autoconfig, 12 March 2026), and mailbox.org's own help pages. Checked 2026-11-23.
"""

from __future__ import annotations

from sendoff.domain.channel import Preset

_WHOLE = "User name: your whole address. "
_APP = "Password: an app password. Make one "


def _preset(
    name: str, smtp: str, imap: str, domains: str, help: str, *, port: int = 465, local: bool = False
) -> Preset:  # fmt: skip
    """`local`: the user name is only what stands before the @."""
    values = {"host": smtp, "port": str(port), "security": "tls" if port == 465 else "starttls"}
    values |= {"imap_host": imap, "imap_port": "993"} if imap else {}
    return Preset(name, values, tuple(domains.split()), help, {"username": "{local}"} if local else {})


PRESETS = (
    _preset(
        "Gmail, Google Workspace", "smtp.gmail.com", "imap.gmail.com", "gmail.com googlemail.com",
        f"{_WHOLE}{_APP}at myaccount.google.com/apppasswords; two-step verification has to be on.",
    ),
    _preset(
        "Microsoft 365", "smtp.office365.com", "outlook.office365.com", "onmicrosoft.com office365.com",
        f"{_WHOLE}An administrator has to allow “authenticated SMTP” for the mailbox; "
        "Microsoft switches passwords off for sending, tenant by tenant.", port=587,
    ),
    _preset(
        "Outlook.com, Hotmail, Live", "smtp-mail.outlook.com", "outlook.office365.com",
        "outlook.com hotmail.com live.com msn.com windowslive.com outlook.de hotmail.de outlook.fr hotmail.fr "
        "outlook.it hotmail.it outlook.es hotmail.es hotmail.co.uk outlook.at",
        "Microsoft lets other programs into personal mailboxes without a password only (OAuth), which Sendoff does "
        "not do. Where a password still works, it is an app password.", port=587,
    ),
    _preset(
        "Yahoo", "smtp.mail.yahoo.com", "imap.mail.yahoo.com",
        "yahoo.com yahoo.ca yahoo.de yahoo.it yahoo.fr yahoo.es yahoo.se yahoo.co.in yahoo.co.uk yahoo.co.nz "
        "yahoo.com.au yahoo.com.ar yahoo.com.br yahoo.com.mx ymail.com myyahoo.com rocketmail.com",
        f"{_WHOLE}{_APP}in Yahoo’s account security settings.",
    ),
    _preset(
        "AOL", "smtp.aol.com", "imap.aol.com",
        "aol.com aim.com netscape.net aol.de aol.it aol.fr aol.es aol.se aol.co.uk aol.com.au",
        f"{_WHOLE}{_APP}in AOL’s account security settings.",
    ),
    _preset(
        "iCloud", "smtp.mail.me.com", "", "icloud.com me.com mac.com",
        f"{_WHOLE}{_APP}at account.apple.com under “App-Specific Passwords”.", port=587,
    ),
    _preset(
        "GMX (Germany, Austria, Switzerland)", "mail.gmx.net", "imap.gmx.net",
        "gmx.net gmx.de gmx.at gmx.ch gmx.eu gmx.biz gmx.org gmx.info",
        f"{_WHOLE}First allow access by POP3 and IMAP in the e-mail settings of GMX.",
    ),
    _preset(
        "GMX (other countries)", "mail.gmx.com", "imap.gmx.com",
        "gmx.com gmx.us gmx.co.uk gmx.es gmx.fr gmx.ca gmx.ie gmx.it gmx.pt gmx.se gmx.li",
        f"{_WHOLE}First allow access by POP3 and IMAP in the e-mail settings of GMX.",
    ),
    _preset(
        "WEB.DE", "smtp.web.de", "imap.web.de", "web.de",
        "User name: the part of your address before the @. "
        "First allow access by POP3 and IMAP in the e-mail settings of WEB.DE.", local=True,
    ),
    _preset(
        "T-Online, Magenta", "securesmtp.t-online.de", "secureimap.t-online.de", "t-online.de magenta.de",
        f"{_WHOLE}Password: the “e-mail password” that Telekom’s customer centre makes, not the one for its website.",
    ),
    _preset(
        "1&1", "smtp.1und1.de", "imap.1und1.de", "online.de onlinehome.de sofortstart.de sofortsurf.de go4more.de",
        f"{_WHOLE}Password: the one of this mailbox.",
    ),
    _preset(
        "IONOS", "smtp.ionos.de", "imap.ionos.de", "ionos.de",
        f"{_WHOLE}Password: the one of this mailbox.",
    ),
    _preset(
        "Posteo", "posteo.de", "posteo.de",
        "posteo.de posteo.at posteo.ch posteo.com posteo.net posteo.org posteo.eu posteo.me posteo.uk posteo.us",
        f"{_WHOLE}Password: the one of the mailbox.",
    ),
    _preset(
        "mailbox.org", "smtp.mailbox.org", "imap.mailbox.org", "mailbox.org",
        f"{_WHOLE}With two-factor sign-in, an app password from Settings > Security > Application passwords.",
    ),
    _preset(
        "Zoho (US)", "smtp.zoho.com", "imap.zoho.com", "zoho.com zohomail.com",
        f"{_WHOLE}Switch on IMAP access in Zoho’s settings; with two-factor sign-in, make an app password there.",
    ),
    _preset(
        "Yandex", "smtp.yandex.com", "imap.yandex.com",
        "yandex.com yandex.ru yandex.net yandex.by yandex.kz yandex.ua ya.ru",
        f"{_WHOLE}{_APP}in Yandex ID, and allow mail programs in the mail settings.",
    ),
    _preset(
        "Mail.ru", "smtp.mail.ru", "imap.mail.ru", "mail.ru inbox.ru list.ru bk.ru",
        f"{_WHOLE}{_APP}in the security settings of Mail.ru.",
    ),
)  # fmt: skip
"""In the order of a list to choose from."""
