"""What the user agent is told to do within a call beside its offers: REFER, digits by INFO, another way."""

from __future__ import annotations

from switch.errors import LocalProtocolError
from switch.sip import referral, referral_steps, referring_steps, usage
from switch.sip.events import ReferId, ReferProgress, SessionId
from switch.sip.flow import Flow
from switch.sip.info_digits import DIGITS, DTMF_RELAY, relay_body
from switch.sip.session import ExtraHeaders
from switch.sip.sessions import Purpose, SessionTable
from switch.sip.uri import NameAddr, Uri


class InCall:
    """A part of `UserAgent`."""

    _table: SessionTable

    def refer(
        self,
        session: SessionId,
        refer_to: NameAddr,
        now: float,
        *,
        wants_news: bool = True,
        headers: ExtraHeaders = (),
    ) -> ReferId:
        """Ask the peer to call somebody; `ReferProgress` follows, the last one with `is_over`.

        `headers` may say `Referred-By` (RFC 3892).
        """
        found = self._table.by_id.get(session)
        if found is None or found.state is not usage.State.CONFIRMED:
            refer = ReferId(self._table.new_token())
            event = ReferProgress(
                session=session, refer=refer, status=481, reason="No Call", is_over=True
            )
            self._table.events.append(event)
            return refer
        return referring_steps.send(
            self._table, found, refer_to, headers, now, wants_news=wants_news
        )

    def accept_refer(self, refer: ReferId, now: float) -> None:
        """Accept what a `Referred` asks for, and tell that it is being tried."""
        found = self._table.referrals.get(refer)
        if found is not None:
            is_wanted = referral.wants_news(found.request)
            given = referral.Input.ACCEPT if is_wanted else referral.Input.ACCEPT_QUIETLY
            referral_steps.step(self._table, found, given, now)

    def refuse_refer(self, refer: ReferId, status: int, now: float) -> None:
        """Refuse it with 300-699; the session goes on."""
        if not 300 <= status <= 699:
            raise LocalProtocolError(f"{status} is no status to refuse with")
        self._tell(refer, referral.Input.REFUSE, status, None, now)

    def notify_refer(
        self, refer: ReferId, status: int, now: float, reason: str | None = None
    ) -> None:
        """Tell how the call to whom it was referred fares, by a status; a final one is the last."""
        given = referral.Input.NEWS if status < 200 else referral.Input.LAST_NEWS
        self._tell(refer, given, status, reason, now)

    def send_info(
        self, session: SessionId, digit: str, now: float, *, duration_ms: int = 160
    ) -> None:
        """Send a digit by INFO (`application/dtmf-relay`); in a confirmed session only."""
        found = self._table.by_id.get(session)
        if len(digit) != 1 or digit not in DIGITS:
            raise LocalProtocolError(f"not a digit: {digit!r}")
        if found is None or found.state is not usage.State.CONFIRMED:
            return
        dialog = found.need_dialog()
        info = dialog.request("INFO")
        info.headers.put("Content-Type", DTMF_RELAY)
        info.body = relay_body(digit, duration_ms)
        self._table.send(found, dialog, info, Purpose.INFO, now)
        self._table.changed(found)

    def way_to(self, session: SessionId) -> tuple[Flow, Uri] | None:
        """How the peer is reached, and the address that it gave; None while there is no dialog."""
        found = self._table.by_id.get(session)
        if found is None or found.dialog is None:
            return None
        return found.dialog.flow, found.dialog.target

    def go_by(self, session: SessionId, flow: Flow) -> None:
        """The peer has come back by another connection: what we send it takes that from now on."""
        found = self._table.by_id.get(session)
        if found is not None and found.dialog is not None:
            found.dialog.flow = flow
            if not found.is_caller:  # its INVITE may not be answered yet
                self._table.endpoint.answer_by(found.transaction, flow)
            self._table.changed(found)

    def _tell(
        self,
        refer: ReferId,
        given: referral.Input,
        status: int,
        reason: str | None,
        now: float,
    ) -> None:
        found = self._table.referrals.get(refer)
        if found is not None:
            found.status, found.reason = status, reason
            referral_steps.step(self._table, found, given, now)
