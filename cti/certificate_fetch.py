"""Fetches certificates whose address a stranger named.

A name is looked up first and the connection is made to an address that was judged, not to the name:
no second answer of the DNS leads elsewhere. Redirections are not followed, proxies of the environment not
used, and what comes is limited in size and time. Nothing of it blocks the loop: the authorities that TLS
believes (those of the system) are read once, in a thread, and names are looked up without one.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable, Iterable, Sequence
from ipaddress import ip_address
from typing import Final

import dns.asyncresolver
import dns.exception
import httpcore

from cti.outside import is_outside
from switch.stir.certificates import LARGEST_PEM
from switch.transport.dns_client import asker

log = logging.getLogger(__name__)

_FETCH_S: Final = 5.0
"""For all of it: name, connection, TLS, answer."""
_MOST_ADDRESSES: Final = 3
_HEADERS: Final = (
    ("Accept", "application/pem-certificate-chain, */*"),
    ("User-Agent", "Switchroom"),
)


class CertificateFetcher:
    """Gets what lies at an address, or None."""

    def __init__(
        self,
        *,
        is_allowed: Callable[[str], bool] = is_outside,
        dns_servers: Sequence[tuple[str, int]] = (),
        tls: Callable[[], ssl.SSLContext] = ssl.create_default_context,
    ) -> None:
        """`is_allowed` judges IP addresses; `tls` makes, in a thread, what servers are checked with."""
        self._network = _JudgedNetwork(is_allowed, dns_servers)
        self._make_tls = tls
        self._tls: ssl.SSLContext | None = None
        self._making = asyncio.Lock()

    async def fetch(self, url: str) -> bytes | None:
        """The octets; None when there are none, they are too many or come too late."""
        try:
            async with asyncio.timeout(_FETCH_S):
                return await self._get(url, await self._context())
        except TimeoutError:
            self._tell(url, f"it takes more than {_FETCH_S:.0f} s")
        except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as error:
            self._tell(url, str(error) or type(error).__name__)
        except (httpcore.UnsupportedProtocol, dns.exception.DNSException) as error:
            self._tell(url, str(error) or type(error).__name__)
        except (OSError, ValueError) as error:
            self._tell(url, str(error))
        return None

    async def _context(self) -> ssl.SSLContext:
        async with self._making:
            if self._tls is None:
                self._tls = await asyncio.to_thread(self._make_tls)
            return self._tls

    async def _get(self, url: str, context: ssl.SSLContext) -> bytes:
        """Raises what httpcore and the DNS raise, and ValueError for an answer that is of no use."""
        pem = b""
        async with (
            httpcore.AsyncConnectionPool(context, network_backend=self._network) as pool,
            pool.stream("GET", url, headers=_HEADERS) as response,
        ):
            if response.status != 200:
                raise ValueError(f"the answer is {response.status}")
            async for part in response.aiter_stream():
                pem += part
                if len(pem) > LARGEST_PEM:
                    raise ValueError(f"more than {LARGEST_PEM} octets")
        return pem

    def _tell(self, url: str, why: str) -> None:
        log.warning("the certificate at %s cannot be fetched: %s", url, why)


class _JudgedNetwork(httpcore.AsyncNetworkBackend):
    """Connects to addresses that were judged, and to no others."""

    def __init__(
        self, is_allowed: Callable[[str], bool], dns_servers: Sequence[tuple[str, int]]
    ) -> None:
        self._is_allowed = is_allowed
        self._dns_servers = dns_servers
        self._asker: dns.asyncresolver.Resolver | None = None
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 -- httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address that may be reached and answers."""
        found = await self._addresses(host)
        fit = [address for address in found if self._is_allowed(address)]
        if not fit:
            raise ValueError(
                f"{host} has no address outside ({', '.join(found[:3])}); where that is meant, name its"
                " network in stir.fetch_inside"
            )
        *others, last = fit[:_MOST_ADDRESSES]
        for address in others:
            try:
                return await self._network.connect_tcp(address, port, timeout, local_address)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._network.connect_tcp(last, port, timeout, local_address)

    async def _addresses(self, host: str) -> list[str]:
        """Those of IPv4 first, which more machines can reach."""
        try:
            return [str(ip_address(host))]
        except ValueError:
            pass
        if self._asker is None:
            self._asker = asker(self._dns_servers)
        answers = await self._asker.resolve_name(host, lifetime=_FETCH_S, search=False)
        return sorted(answers.addresses(), key=lambda address: ":" in address)
