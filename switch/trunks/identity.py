"""Which number a trunk shows of a caller, and in which headers (RFC 3325, RFC 3323).

Decides; the headers themselves are written where INVITEs are made.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from msgspec import Struct

from switch.trunks.number_format import NumberFormat, to_e164, write


class CallerHeader(StrEnum):
    """Where the caller's number stands."""

    FROM = "from"
    """In From alone."""
    ASSERTED = "asserted"
    """In From and in P-Asserted-Identity; a caller who withholds it is asserted with Privacy: id."""
    ACCOUNT = "account"
    """From is the account at the carrier, the number stands in P-Asserted-Identity."""


class OwnNumbers(Struct, frozen=True):
    """International numbers that are ours: single ones, ranges, and whole prefixes."""

    exact: frozenset[str] = frozenset()
    ranges: tuple[tuple[str, str], ...] = ()
    prefixes: tuple[str, ...] = ()

    @classmethod
    def parse(cls, written: tuple[str, ...]) -> OwnNumbers:
        """Read `+12025550100`, `+12025550100-+12025550199` and `+12025551*`.

        Raises:
            ValueError: an entry is none of these.
        """
        exact, ranges, prefixes = set(), [], []
        for entry in written:
            first, dash, last = entry.partition("-")
            ends = (first, last) if dash else (first.removesuffix("*"),)
            if not all(_is_international(end) for end in ends):
                raise ValueError(f"{entry!r} is no international number, as +12025550100")
            if dash and (len(first) != len(last) or first > last):
                raise ValueError(f"{entry!r}: the ends are not of one length, or do not ascend")
            if dash:
                ranges.append((first, last))
            elif entry.endswith("*"):
                prefixes.append(entry[:-1])
            else:
                exact.add(entry)
        return cls(frozenset(exact), tuple(ranges), tuple(prefixes))

    def __contains__(self, e164: str) -> bool:
        return (
            e164 in self.exact
            or e164.startswith(self.prefixes)
            or any(len(e164) == len(a) and a <= e164 <= b for a, b in self.ranges)
        )

    def __bool__(self) -> bool:
        return bool(self.exact or self.ranges or self.prefixes)


def _is_international(text: str) -> bool:
    digits = text.removeprefix("+")
    return text.startswith("+") and digits.isascii() and digits.isdigit() and len(digits) <= 15


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerPolicy:
    """What a trunk shows of callers."""

    header: CallerHeader = CallerHeader.FROM
    main: str = ""
    """Shown for callers without a number of their own: extensions, and all that may not be passed
    on. Empty: the number goes out as it is."""
    shown: tuple[tuple[str, str], ...] = ()
    """Extension and the number that is shown for it."""
    own: OwnNumbers = field(default_factory=OwnNumbers)
    """Numbers that are ours on this trunk."""
    passes_foreign: bool = True
    """False replaces numbers that are not ours by the main one: carriers refuse foreign callers."""
    domain: str = ""
    """Host in From; empty: ours."""


PLAIN: Final = CallerPolicy()
"""Shows callers as they are."""


class CallerId(Struct, frozen=True, kw_only=True):
    """The caller as a trunk is to show it."""

    number: str
    """As the trunk writes numbers; empty: withheld."""
    name: str = ""
    e164: str | None = None
    """The number in the international form, if it has one; of a withheld one, too."""
    is_ours: bool = False
    """The number is one of our own."""
    header: CallerHeader = CallerHeader.FROM
    account: str = ""
    """User in From where `header` is ACCOUNT."""
    domain: str = ""
    """Host in From and in P-Asserted-Identity; empty: ours."""
    asserted: str = ""
    """Number for P-Asserted-Identity; empty: none."""


def choose_caller(
    policy: CallerPolicy,
    *,
    number: str,
    name: str,
    form: NumberFormat,
    region: str,
    account: str,
) -> CallerId:
    """Decide what is shown of a caller; an empty `number` is withheld, and stays so."""
    kept = number
    if policy is PLAIN and form is NumberFormat.AS_DIALLED:
        return CallerId(number=number, name=name)
    if not number:
        kept, e164 = policy.main, to_e164(policy.main, region)
    else:
        for extension, shown in policy.shown:
            if extension == number:
                number = kept = shown
                break
        e164 = to_e164(number, region)
        is_allowed = e164 is not None and (policy.passes_foreign or e164 in policy.own)
        if not is_allowed and policy.main:
            number = kept = policy.main
            e164 = to_e164(number, region)
    if e164 is not None and form is not NumberFormat.AS_DIALLED:
        kept = write(e164, form, region)
        number = kept if number else ""
    return CallerId(
        number=number,
        name=name if number else "",
        e164=e164,
        is_ours=e164 is not None and e164 in policy.own,
        header=policy.header,
        account=account if policy.header is CallerHeader.ACCOUNT else "",
        domain=policy.domain,
        asserted=kept if policy.header is not CallerHeader.FROM else "",
    )
