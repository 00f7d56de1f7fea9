"""Customers: look them up."""

from __future__ import annotations

from fastapi import APIRouter, Response

from cti.api.answers import JsonAnswer
from cti.api.context import TheCaller, TheContext
from cti.errors import Invalid, NotFound
from cti.schema import CustomerCard

router = APIRouter(prefix="/api/v1/customers", tags=["customers"])


@router.get("", response_model=list[CustomerCard])
async def find(
    _caller: TheCaller, context: TheContext, number: str = "", name: str = ""
) -> Response:
    """Customers with this number in any notation, or with words in name or company that begin so."""
    number, name = number.strip(), name.strip()
    if bool(number) == bool(name):
        raise Invalid("number-or-name", "Give either `number` or `name`.")
    if len(number) > 64 or len(name) > 200:
        raise Invalid("too-long", "A number has at most 64 characters, a name at most 200.")
    customers = context.ports.customers
    found = await customers.by_number(number) if number else await customers.by_name(name)
    return JsonAnswer(found)


@router.get("/{customer_id}", response_model=CustomerCard)
async def get(customer_id: str, _caller: TheCaller, context: TheContext) -> Response:
    """One customer with its newest interactions."""
    if len(customer_id) > 64 or not customer_id.isprintable():
        raise NotFound("no-such-customer", "There is no such customer.")
    return JsonAnswer(await context.ports.customers.get(customer_id))
