"""What the sound of a leg tells of who or what answered: talk, silence, beeps, tones of the network, fax.

Nothing is judged here: facts come out, with their times, for whoever must tell a person from a machine.

    frames --measure_frames--> level, pitches --SoundFeatures.take--> changes

    speech       louder than the noise beneath by 9 dB and no tone; over after 200 ms without
    sit          three rising tones one behind the other (ITU-T E.180)
    fax-cng      1100 Hz for half a second (ITU-T T.30); fax-ced: 2100 Hz for more than one
    ring-back    a tone of 380 to 640 Hz, then at least 1.7 s of silence, before anybody spoke
    busy         three such tones as short as the gaps between them
    beep         any other tone of a tenth of a second to three
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

from switch.media.codecs import FRAME_MS
from switch.media.sound_measures import SILENT_DBOV

SPEECH_ABOVE_DB: Final = 9.0
VOICE_ABOVE_DB: Final = 4.0
"""Within talk, of frames that have the pitch of a voice: soft syllables in noise."""
MIN_SPEECH_DBOV: Final = -50.0
SPEECH_FRAMES: Final = 3
"""So many loud frames in a row begin a burst of speech."""
SILENCE_FRAMES: Final = 10
"""So many soft ones end it."""
FIRST_FLOOR_DBOV: Final = -65.0
FLOOR_RISE_DB: Final = 0.02
"""The noise beneath may grow by a decibel a second."""
FIRST_FRAMES: Final = 5
FIRST_STEADY_DB: Final = 4.0
"""The first frames are noise if their levels lie so close together, however loud they are."""
STEADY_FRAMES: Final = 25
STEADY_DB: Final = 6.0
"""Later so many must, but for a few at both ends: talk rises and falls, and packets are lost."""
_ENDS: Final = 2
MIN_TONE_DBOV: Final = -45.0
SAME_TONE_HZ: Final = 30.0
LONG_TONE_FRAMES: Final = 10
"""A tone that sounds so long may miss a frame: a lost packet, or the turn of phase of a fax (ITU-T V.8)."""
REPORT_EVERY_MS: Final = 500
"""Without a change."""
REPORT_TALK_EVERY_MS: Final = 100
"""While somebody speaks, and until `_AFTER_TALK_MS` after."""
_AFTER_TALK_MS: Final = 1000
_BEEP_MS: Final = (100, 3000)
_SIT_MS: Final = (140, 500)
_SIT_HZ: Final = ((890.0, 1010.0), (1340.0, 1460.0), (1740.0, 1820.0))
_SIT_GAP_MS: Final = 100
_CNG_HZ: Final = (1060.0, 1140.0)
_CNG_MS: Final = (400, 700)
_CED_HZ: Final = (2080.0, 2120.0)
_CED_MS: Final = 1000
_PROGRESS_HZ: Final = (380.0, 640.0)
_RING_MS: Final = (350, 2600)
_RING_GAP_MS: Final = 1700
_BUSY_MS: Final = (160, 700)


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundChange:
    """What is known of a leg's sound after a frame. Times are milliseconds since the watch began."""

    at_ms: int
    level_dbov: float
    speaking: bool
    since_ms: int
    """When this speech or silence began."""
    bursts: int
    """Bursts of speech so far."""
    tone: str = ""
    """The name of a tone that was recognised now: see above."""
    tone_hz: float = 0.0
    """Without a name: one sounds, and what it is will be seen."""
    tone_ms: int = 0
    """How long it sounded, up to now."""
    floor_dbov: float = FIRST_FLOOR_DBOV
    """The noise beneath."""
    mean_dbov: float = 0.0
    """This and the rest: of the frames since the change before."""
    spread_db: float = 0.0
    """Standard deviation of their levels."""
    voiced: float = 0.0
    """The share that has the pitch of a voice, 0 to 1."""
    voice_hz: float = 0.0
    """The mean of those pitches; 0: none."""
    crossings: float = 0.0
    """The share of samples at which the wave changes its sign."""
    levels: tuple[int, ...] = ()
    """Of each frame without its low notes, dBov; -96 where a tone sounds."""


@dataclass(slots=True)
class _Tone:
    """A tone that sounds, or has sounded."""

    begin_ms: int
    hertz: float
    frames: int = 1
    misses: bool = False
    """The last frame had another pitch or none; it counts if the next has this one again."""

    @property
    def length_ms(self) -> int:
        return self.frames * FRAME_MS

    @property
    def end_ms(self) -> int:
        return self.begin_ms + self.length_ms

    def lies_in(self, band: tuple[float, float]) -> bool:
        return band[0] <= self.hertz <= band[1]

    def lasts(self, bounds: tuple[int, int]) -> bool:
        return bounds[0] <= self.length_ms <= bounds[1]


class _Sums:
    """Of the frames since the last report."""

    __slots__ = ("crossings", "frames", "level", "levels", "squares", "voice_hz", "voiced")

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.frames = 0
        self.level = self.squares = self.voice_hz = self.crossings = 0.0
        self.voiced = 0
        self.levels: list[int] = []

    def add(self, level: float, voice_hz: float, crossings: float, bright: float) -> None:
        self.frames += 1
        self.level += level
        self.squares += level * level
        self.crossings += crossings
        self.levels.append(round(bright))
        if voice_hz > 0.0:
            self.voiced += 1
            self.voice_hz += voice_hz


class SoundFeatures:
    """Follows one leg. Pure: measured frames go in, changes come out."""

    def __init__(self) -> None:
        self._now_ms = 0
        self._reported_ms = 0
        self._level = 0.0
        self._sums = _Sums()
        self._recent: deque[float] = deque(maxlen=STEADY_FRAMES)
        """The last levels."""
        self._floor = FIRST_FLOOR_DBOV
        self._speaking = False
        self._since_ms = 0
        self._bursts = 0
        self._run = 0
        """Frames in a row that speak for the other state."""
        self._tone: _Tone | None = None
        self._is_told = False
        """The tone that sounds was reported while it did."""
        self._over: deque[_Tone] = deque(maxlen=3)
        """The last tones; the newest last."""
        self._waiting: _Tone | None = None
        """A tone that is over and may yet turn out to be part of something."""

    def take(
        self,
        level_dbov: float,
        tone_hz: float,
        voice_hz: float = 0.0,
        crossings: float = 0.0,
        bright_dbov: float = SILENT_DBOV,
    ) -> list[SoundChange]:
        """One frame later: its measures, as `switch.media.sound_measures` has them."""
        self._level = level_dbov
        bright_dbov = bright_dbov if tone_hz <= 0.0 else SILENT_DBOV
        self._sums.add(level_dbov, voice_hz, crossings, bright_dbov)
        is_tone = tone_hz > 0.0 and level_dbov > MIN_TONE_DBOV
        changes = self._follow_tone(tone_hz if is_tone else 0.0)
        tone = self._tone
        is_tone = tone is not None and tone.frames >= SPEECH_FRAMES
        if self._follow_speech(level_dbov, is_tone=is_tone, is_voice=voice_hz > 0.0):
            changes.append(self._change())
        if not changes and self._now_ms + FRAME_MS - self._reported_ms >= self._patience_ms():
            changes.append(self._change())
        self._now_ms += FRAME_MS
        if changes:
            self._reported_ms = self._now_ms
            self._sums.clear()
        return changes

    def _patience_ms(self) -> int:
        """How long nothing is told where nothing changes."""
        is_talk = self._speaking or (
            self._bursts and self._now_ms - self._since_ms < _AFTER_TALK_MS
        )
        return REPORT_TALK_EVERY_MS if is_talk else REPORT_EVERY_MS

    def _change(self, name: str = "", tone: _Tone | None = None) -> SoundChange:
        sums = self._sums
        frames = max(sums.frames, 1)
        mean = sums.level / frames
        return SoundChange(
            at_ms=self._now_ms + FRAME_MS,
            level_dbov=round(self._level, 1),
            speaking=self._speaking,
            since_ms=self._since_ms,
            bursts=self._bursts,
            tone=name,
            tone_hz=round(tone.hertz, 1) if tone else 0.0,
            tone_ms=tone.length_ms if tone else 0,
            floor_dbov=round(self._floor, 1),
            mean_dbov=round(mean, 1),
            spread_db=round(max(sums.squares / frames - mean * mean, 0.0) ** 0.5, 1),
            voiced=round(sums.voiced / frames, 2),
            voice_hz=round(sums.voice_hz / sums.voiced, 1) if sums.voiced else 0.0,
            crossings=round(sums.crossings / frames, 3),
            levels=tuple(sums.levels),
        )

    # --- speech ---------------------------------------------------------------------------------

    def _follow_speech(self, level: float, *, is_tone: bool, is_voice: bool) -> bool:
        """Whether a burst of speech has begun or ended."""
        self._follow_floor(level)
        above = VOICE_ABOVE_DB if self._speaking and is_voice else SPEECH_ABOVE_DB
        loud = not is_tone and level > max(self._floor + above, MIN_SPEECH_DBOV)
        self._run = self._run + 1 if loud != self._speaking else 0
        needed = SILENCE_FRAMES if self._speaking else SPEECH_FRAMES
        if self._run < needed:
            return False
        self._since_ms = self._now_ms - (self._run - 1) * FRAME_MS
        self._run = 0
        self._speaking = not self._speaking
        self._bursts += self._speaking
        return True

    def _follow_floor(self, level: float) -> None:
        """The noise beneath: the softest of late but for a frame or two, or what stays as it is."""
        recent = self._recent
        recent.append(level)
        ordered = sorted(recent)
        count = len(ordered)
        if count < STEADY_FRAMES:
            softest = ordered[count // 10]
            if count == FIRST_FRAMES and ordered[-1] - softest < FIRST_STEADY_DB:
                self._floor = softest
        else:
            softest = ordered[_ENDS]
            if ordered[-1 - _ENDS] - softest < STEADY_DB:
                self._floor = softest
        self._floor = max(min(self._floor + FLOOR_RISE_DB, softest), -80.0)

    # --- tones ----------------------------------------------------------------------------------

    def _follow_tone(self, hertz: float) -> list[SoundChange]:
        changes: list[SoundChange] = []
        tone = self._tone
        if tone is not None and hertz and abs(hertz - tone.hertz) <= SAME_TONE_HZ:
            tone.hertz += (hertz - tone.hertz) / min(tone.frames + 1, 10)
            tone.frames += 1 + tone.misses
            tone.misses = False
            if tone.length_ms == _BEEP_MS[0]:
                changes.append(self._change("", tone))
            if not self._is_told and tone.lies_in(_CED_HZ) and tone.length_ms >= _CED_MS:
                self._is_told = True
                changes.append(self._change("fax-ced", tone))
            return changes
        if tone is not None and tone.frames >= LONG_TONE_FRAMES and not tone.misses:
            tone.misses = True
            return changes
        if tone is not None:
            self._tone = None
            if tone.length_ms >= _BEEP_MS[0] and not self._is_told:
                changes += self._ended(tone)
        if hertz:
            self._tone = _Tone(self._now_ms, hertz)
            self._is_told = False
        elif self._waiting is not None:
            changes += self._waited(self._waiting)
        return changes

    def _ended(self, tone: _Tone) -> list[SoundChange]:
        """A tone is over that was long enough to mean something."""
        changes: list[SoundChange] = []
        earlier, self._waiting = self._waiting, None
        self._over.append(tone)
        if self._is_sit():
            self._over.clear()
            return [self._change("sit", tone)]
        if earlier is not None and not self._may_be_part(earlier, tone):
            changes += self._beep(earlier)
        if tone.lies_in(_CNG_HZ) and tone.lasts(_CNG_MS):
            return [*changes, self._change("fax-cng", tone)]
        if self._is_busy():
            self._over.clear()
            return [*changes, self._change("busy", tone)]
        if any(tone.lies_in(band) for band in _SIT_HZ) or self._is_progress(tone):
            self._waiting = tone
            return changes
        return changes + self._beep(tone)

    def _waited(self, tone: _Tone) -> list[SoundChange]:
        """Silence behind a tone that may mean several things."""
        silence_ms = self._now_ms - tone.end_ms
        if self._is_progress(tone):
            if silence_ms < _RING_GAP_MS:
                return []
            self._waiting = None
            self._over.clear()
            return [self._change("ring-back", tone)] if tone.lasts(_RING_MS) else self._beep(tone)
        if silence_ms <= _SIT_GAP_MS:
            return []
        self._waiting = None
        return self._beep(tone)

    def _beep(self, tone: _Tone) -> list[SoundChange]:
        return [self._change("beep", tone)] if tone.lasts(_BEEP_MS) else []

    def _is_progress(self, tone: _Tone) -> bool:
        """Whether a tone may be one of the network's; once somebody has spoken it is a beep."""
        return not self._bursts and tone.lies_in(_PROGRESS_HZ)

    def _may_be_part(self, earlier: _Tone, tone: _Tone) -> bool:
        """Whether two tones belong to one signal: then the first is no beep."""
        if self._is_progress(earlier):
            return self._is_progress(tone)
        return tone.begin_ms - earlier.end_ms <= _SIT_GAP_MS

    def _is_sit(self) -> bool:
        tones = self._over
        return len(tones) == len(_SIT_HZ) and all(
            tone.lies_in(band)
            and tone.lasts(_SIT_MS)
            and (number == 0 or tone.begin_ms - tones[number - 1].end_ms <= _SIT_GAP_MS)
            for number, (tone, band) in enumerate(zip(tones, _SIT_HZ, strict=True))
        )

    def _is_busy(self) -> bool:
        tones = self._over
        low, high = _BUSY_MS
        return len(tones) == tones.maxlen and all(
            self._is_progress(tone)
            and tone.lasts(_BUSY_MS)
            and (number == 0 or low <= tone.begin_ms - tones[number - 1].end_ms <= high)
            for number, tone in enumerate(tones)
        )
