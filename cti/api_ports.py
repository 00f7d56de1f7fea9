"""What the API of a node speaks to: its ports, satisfied by the node's parts; and where it is spoken to."""

from __future__ import annotations

import socket
from collections.abc import Callable

from cti.accounts import accounts
from cti.api.accounts import PasswordAccounts
from cti.api.listener import listen
from cti.api.ports import ApiPorts
from cti.bans import Bans
from cti.calls_desk import CallsDesk
from cti.gateway_desk import GatewayDesk
from cti.metrics.exporter import Exporter
from cti.metrics.sources import Sources
from cti.phones import Phones
from cti.settings import ApiSection
from cti.trunk_desk import TrunkDesk


def api_ports(
    sources: Sources,
    *,
    bans: Bans,
    phones: Phones,
    calls: CallsDesk,
    health: Callable[[], tuple[bool, str]],
) -> ApiPorts:
    """Put them together; `sources` are the parts that count something, which are nearly all."""
    centre, switching = sources.centre, sources.switching
    return ApiPorts(
        counters=sources.api,
        accounts=PasswordAccounts(accounts(sources.settings)),
        floor=centre.floor,
        parties=centre.parties,
        parked=centre.parked,
        campaigns=centre.campaigns.desk,
        campaign_records=centre.campaigns.records,
        customers=centre.customers,
        history=centre.history,
        health=health,
        bus=sources.bus,
        status=sources.board.status,
        bans=bans,
        trunks=TrunkDesk(switching.carriers, switching.plan, sources.clock),
        gateways=GatewayDesk(switching.gateways, sources.board, sources.journal.drained),
        phones=phones,
        calls=calls,
        metrics=Exporter(sources),
    )


def take_port(api: ApiSection) -> socket.socket:
    """Take the API's port early, so that one in use is told before anything else. Raises OSError."""
    try:
        return listen(api.host, api.port)
    except OSError as error:
        where = f"api.port: {api.host}:{api.port}"
        raise OSError(error.errno, f"{where}: {error.strerror}") from error
