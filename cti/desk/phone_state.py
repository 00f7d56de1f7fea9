"""What the desk knows of its phone, and how the phone's news change it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from cti.phone import protocol as phone


class PhoneStage(StrEnum):
    """How far the phone has come."""

    EXTERNAL = "external"
    """The agent uses another phone; the desk drives calls through the switch only."""
    STARTING = "starting"
    REGISTERING = "registering"
    REGISTERED = "registered"
    FAILED = "failed"
    """The registrar refuses or does not answer; the phone keeps trying."""
    DIED = "died"
    """The process ended; it is started again."""
    GONE = "gone"
    """The process ended again and again; only the agent starts it again."""


@dataclass(frozen=True, slots=True)
class PhoneStarting:
    """The desk starts the process."""


@dataclass(frozen=True, slots=True)
class PhoneGone:
    """The process cannot be kept alive."""

    message: str


PhoneNews = phone.Event | PhoneStarting | PhoneGone


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneView:
    """The phone as the desk shows it."""

    stage: PhoneStage = PhoneStage.STARTING
    backend: str = ""
    detail: str = ""
    has_sound: bool = True
    ringing: str | None = None
    """The call that rings, by the phone's name for it."""
    talking: str | None = None
    rings_from: tuple[str, str] = ("", "")
    """Number and name of who rings, as the phone heard them."""
    talks_to: tuple[str, str] = ("", "")
    is_held: bool = False
    """The phone itself holds the call it talks on."""

    @property
    def is_external(self) -> bool:
        """Whether the agent answers on another phone."""
        return self.stage is PhoneStage.EXTERNAL

    @property
    def is_gone(self) -> bool:
        """Whether the agent has to start it again."""
        return self.stage is PhoneStage.GONE


def reduce_phone(view: PhoneView, news: PhoneNews) -> PhoneView:
    """The phone after one piece of news."""
    match news:
        case PhoneStarting():
            return PhoneView(stage=PhoneStage.STARTING)
        case PhoneGone():
            return PhoneView(stage=PhoneStage.GONE, detail=news.message)
        case phone.Ready():
            return replace(
                view,
                stage=PhoneStage.REGISTERING,
                backend=news.backend,
                has_sound=news.audio == "device",
            )
        case phone.Registered():
            return replace(view, stage=PhoneStage.REGISTERED, detail="")
        case phone.RegistrationFailed():
            detail = f"{news.status} {news.reason}" if news.status else news.reason
            return replace(view, stage=PhoneStage.FAILED, detail=detail)
        case phone.Unregistered():
            return replace(view, stage=PhoneStage.REGISTERING, detail="")
        case phone.Incoming():
            return replace(view, ringing=news.call, rings_from=(news.from_number, news.from_name))
        case phone.Established():
            talking = replace(view, talking=news.call, talks_to=("", ""), is_held=False)
            if view.ringing != news.call:
                return talking
            return replace(talking, ringing=None, talks_to=view.rings_from)
        case phone.Held(by_far_end=False) if news.call == view.talking:
            return replace(view, is_held=True)
        case phone.Resumed() if news.call == view.talking:
            return replace(view, is_held=False)
        case phone.Closed():
            return replace(
                view,
                ringing=None if view.ringing == news.call else view.ringing,
                talking=None if view.talking == news.call else view.talking,
            )
        case phone.Died():
            return PhoneView(stage=PhoneStage.DIED, detail=str(news.exit_code))
        case _:
            return view
