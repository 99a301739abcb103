"""Run by the uninstaller where the person wants everything gone: takes the accounts' keys out of the keychain."""

from contextlib import closing, suppress

from sendoff.bootstrap import open_program
from sendoff.domain.errors import SendoffError
from sendoff.store import accounts


def main() -> None:
    with closing(open_program()) as program:
        with program.store.reading() as connection:
            refs = [one.secret_ref for one in accounts.every(connection)]
        for ref in refs:
            with suppress(SendoffError):
                program.secrets.remove(ref)


if __name__ == "__main__":
    main()
