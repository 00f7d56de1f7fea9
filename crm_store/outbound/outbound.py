"""`Store.outbound`: the parts of outbound over one database, which share what they remember.

All parts raise `StoreUnavailable` when the database is away, `NotStored` for what is not there, and
`BadRecord` with what is wrong and what to do. Times are seconds since 1970; `by` is a login.
"""

from __future__ import annotations

from acd.dialer.ports import ListStore
from crm_store.database import Database
from crm_store.outbound.campaign_rows import CampaignBook
from crm_store.outbound.campaigns import Campaigns
from crm_store.outbound.do_not_call import DoNotCall
from crm_store.outbound.imports import Imports
from crm_store.outbound.lists import Lists
from crm_store.outbound.places import PlaceBook
from crm_store.outbound.records import Records


class Outbound:
    """What the store does for campaigns."""

    def __init__(self, database: Database, region: str) -> None:
        book, places = CampaignBook(), PlaceBook()
        self.database = database
        """For measurements, which fill lists without files."""
        self.lists: ListStore = Lists(database, book, places, region)
        self.campaigns = Campaigns(database, book)
        self.records = Records(database, places, region)
        self.imports = Imports(database, book, places, region)
        self.do_not_call = DoNotCall(database, book, region)
