"""Questions to the DNS by `dnspython`. Imported when a name is first looked up: many nodes name none.

It brings an HTTP client with it and takes a tenth of a second, which the calls of a restart would wait for.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address
from typing import Final

import dns.asyncresolver
import dns.exception
import dns.nameserver
import dns.resolver
from dns.rdtypes.IN.NAPTR import NAPTR
from dns.rdtypes.IN.SRV import SRV

from switch.transport.locating import Answer, Naptr, Question, Record, Srv

_ANSWER_S: Final = 5.0
"""For one question, to all servers of the DNS."""


class DnsClient:
    """Asks one question after the other."""

    def __init__(self, servers: Sequence[tuple[str, int]] = ()) -> None:
        """`servers`: address and port of those to ask; empty: as the system is configured."""
        self._asker = asker(servers)

    async def ask(self, question: Question) -> tuple[Answer, float | None]:
        """The records, and for how many seconds they hold; None: nobody says, for there are none.

        Raises OSError (also when a server answers with a fault) and TimeoutError.
        """
        try:
            found = await self._asker.resolve(
                question.name,
                question.type.value,
                raise_on_no_answer=False,
                lifetime=_ANSWER_S,
                search=False,
            )
        except dns.resolver.NXDOMAIN:
            return (), None
        except dns.exception.Timeout as error:
            raise TimeoutError(str(error)) from error
        except dns.exception.DNSException as error:
            raise OSError(str(error)) from error
        if found.rrset is None:
            return (), None
        return [_read(each) for each in found.rrset], float(found.rrset.ttl)


def asker(servers: Sequence[tuple[str, int]]) -> dns.asyncresolver.Resolver:
    """What asks these servers of the DNS (address and port); none: as the system is configured."""
    found = dns.asyncresolver.Resolver(configure=not servers)
    if servers:
        found.nameservers = [dns.nameserver.Do53Nameserver(host, port) for host, port in servers]
    return found


def _read(record: object) -> Record:
    if isinstance(record, NAPTR):
        return Naptr(
            record.order,
            record.preference,
            record.flags.decode("ascii", "replace"),
            record.service.decode("ascii", "replace"),
            str(record.replacement),
        )
    if isinstance(record, SRV):
        return Srv(record.priority, record.weight, record.port, str(record.target))
    return str(ip_address(str(record)))
