"""All subscriptions: by id, by dialog, by watcher and by what is watched, and what each may have."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from switch.presence.subscription import Package, Subscription

DialogKey = tuple[str, str]
"""Call-ID and our tag."""


class Subscriptions:
    """The table. The oldest stand first everywhere."""

    __slots__ = (
        "_by_dialog",
        "_by_id",
        "_by_watched",
        "_by_watcher",
        "_of_phone",
        "on_first",
        "on_record",
    )

    def __init__(self) -> None:
        self._by_id: dict[str, Subscription] = {}
        self._by_dialog: dict[DialogKey, Subscription] = {}
        self._by_watched: dict[tuple[Package, str], dict[str, Subscription]] = {}
        self._by_watcher: dict[str, dict[str, Subscription]] = {}
        self._of_phone: dict[str, int] = {}
        self.on_record: Callable[[str], None] = lambda id: None
        """Hears of each subscription whose record is to be written, or to be removed."""
        self.on_first: Callable[[str], None] = lambda phone: None
        """Hears of each phone that is watched from now on."""

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Subscription]:
        return iter(tuple(self._by_id.values()))

    def get(self, id: str) -> Subscription | None:
        """One subscription, or None."""
        return self._by_id.get(id)

    def of_dialog(self, call_id: str, tag: str) -> Subscription | None:
        """The subscription of a dialog, or None."""
        return self._by_dialog.get((call_id, tag))

    def watching(self, package: Package, phone: str) -> tuple[Subscription, ...]:
        """Who watches a phone for one package."""
        found = self._by_watched.get((package, phone))
        return tuple(found.values()) if found else ()

    def of_watcher(self, watcher: str) -> tuple[Subscription, ...]:
        """What a phone watches."""
        return tuple(self._by_watcher.get(watcher, {}).values())

    def is_watched(self, phone: str | None) -> bool:
        """Whether anybody watches a phone."""
        return phone in self._of_phone

    def count_of_phone(self, phone: str) -> int:
        """How many watch a phone, for all packages."""
        return self._of_phone.get(phone, 0)

    @property
    def most_of_watcher(self) -> int:
        """What the phone watches that watches most."""
        return max(map(len, self._by_watcher.values()), default=0)

    @property
    def most_of_phone(self) -> int:
        """How many watch the phone that is watched most."""
        return max(self._of_phone.values(), default=0)

    def add(self, each: Subscription) -> None:
        """Take one up."""
        self._by_id[each.id] = each
        self._by_dialog[each.dialog.call_id, each.id] = each
        self._by_watched.setdefault((each.package, each.phone), {})[each.id] = each
        self._by_watcher.setdefault(each.watcher, {})[each.id] = each
        count = self._of_phone[each.phone] = self._of_phone.get(each.phone, 0) + 1
        if count == 1:
            self.on_first(each.phone)
        self.on_record(each.id)

    def remove(self, each: Subscription) -> None:
        """Forget one; a second time does nothing."""
        if self._by_id.pop(each.id, None) is None:
            return
        del self._by_dialog[each.dialog.call_id, each.id]
        watched = (each.package, each.phone)
        del self._by_watched[watched][each.id]
        if not self._by_watched[watched]:
            del self._by_watched[watched]
        del self._by_watcher[each.watcher][each.id]
        if not self._by_watcher[each.watcher]:
            del self._by_watcher[each.watcher]
        self._of_phone[each.phone] -= 1
        if not self._of_phone[each.phone]:
            del self._of_phone[each.phone]
        self.on_record(each.id)
