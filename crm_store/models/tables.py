"""All tables in one place: for migrations, for batches, and for whoever needs them complete."""

from __future__ import annotations

from sqlalchemy import MetaData, Table

from crm_store.base import Base
from crm_store.models.attempt import Attempt
from crm_store.models.call_leg import CallLeg
from crm_store.models.campaign import Campaign, CampaignVersion
from crm_store.models.contact_point import ContactPoint
from crm_store.models.customer import Customer
from crm_store.models.customer_word import CustomerWord
from crm_store.models.disposition import DispositionEntry
from crm_store.models.do_not_call import DoNotCall, DoNotCallRemoved
from crm_store.models.interaction import Interaction
from crm_store.models.note import Note
from crm_store.models.outbound_batch import OutboundBatch
from crm_store.models.outbound_place import OutboundPlace
from crm_store.models.outbound_quota import OutboundQuota
from crm_store.models.outbound_record import OutboundClaim, OutboundNumber, OutboundRecord
from crm_store.models.recording import Recording
from crm_store.models.timeline import TimelineEntry


def _table(model: type[Base]) -> Table:
    table = model.__table__
    if not isinstance(table, Table):
        raise TypeError(f"{model.__name__} is not mapped to a table")
    return table


CUSTOMER = _table(Customer)
CUSTOMER_WORD = _table(CustomerWord)
CONTACT_POINT = _table(ContactPoint)
INTERACTION = _table(Interaction)
TIMELINE = _table(TimelineEntry)
NOTE = _table(Note)
DISPOSITION = _table(DispositionEntry)
RECORDING = _table(Recording)
CALL_LEG = _table(CallLeg)
CAMPAIGN = _table(Campaign)
CAMPAIGN_VERSION = _table(CampaignVersion)
BATCH = _table(OutboundBatch)
PLACE = _table(OutboundPlace)
RECORD = _table(OutboundRecord)
RECORD_NUMBER = _table(OutboundNumber)
CLAIM = _table(OutboundClaim)
ATTEMPT = _table(Attempt)
DO_NOT_CALL = _table(DoNotCall)
DO_NOT_CALL_REMOVED = _table(DoNotCallRemoved)
QUOTA = _table(OutboundQuota)

METADATA: MetaData = Base.metadata
