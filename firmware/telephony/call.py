"""One call: app.ports.Call over pjsua2."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Protocol

import pjsua2 as pj
import trio

from app.establishing import Offer
from app.ports import Connected, Direction, Ended, EndedBy, Frame
from app.pressing import GAP_S, KEY_S, PAUSE, PAUSE_S
from app.progress import Progress
from app.transfers import Handover, TransferStep
from app.turns.keys import Dtmf
from firmware.audio.call_audio import AudioStats, CallAudio, Pair
from firmware.audio.mouth import Mouth
from firmware.telephony.conversion import there_and_back_ms
from firmware.telephony.endpoint import Endpoint
from firmware.telephony.keys import send_key
from firmware.telephony.memory import MEDIA_CODES
from firmware.telephony.sdp import read_offer
from firmware.telephony.tap import Tap
from firmware.telephony.transfer import Referral, put_through
from firmware.telephony.uris import fit_for_utf8

HANG_UP_S = 2.0
"""How long `hang_up` waits for the other side to agree. A BYE needs no agreement (RFC 3261 15.1.1); a CANCEL is
answered within a round trip by any PBX that is alive."""

DTMF_DIGITS = 64
"""What a fast typist enters in half a minute. Further digits are dropped until somebody reads."""

NARROW_HZ = 8000

_OK = 200
_BAD_REQUEST = 400
_TERMINATED = 487
_RINGS = range(180, 184)  # RFC 3261 21.1: ringing, forwarded, queued, and what carriers ring with (183)


class Leg(pj.Call):  # type: ignore[misc]
    """pj's side of a call. Copies and posts. Whoever drops the last reference hangs up, so `Call` keeps one."""

    def __init__(self, account: pj.Account, endpoint: Endpoint, call_id: int = pj.PJSUA_INVALID_ID) -> None:
        super().__init__(account, call_id)
        self.owner: Call | None = None  # a cycle, until the owner releases us
        self._endpoint = endpoint

    def onCallState(self, prm: pj.OnCallStateParam) -> None:  # noqa: N802
        try:
            info = self.getInfo()  # bound first: its parts live in it
            event = prm.e.body.tsxState
            cut = event.type in (pj.PJSIP_EVENT_TIMER, pj.PJSIP_EVENT_TRANSPORT_ERROR)
            heard = str(event.src.rdata.wholeMsg) if event.type == pj.PJSIP_EVENT_RX_MSG else ""
            code, reason = int(info.lastStatusCode), fit_for_utf8(str(info.lastReason))
            self._tell("state_changed", int(info.state), code, reason, cut, heard)
        except Exception as fault:  # noqa: BLE001
            self._endpoint.fault(fault)

    def onCallTsxState(self, prm: pj.OnCallTsxStateParam) -> None:  # noqa: N802
        try:
            state = prm.e.body.tsxState
            ours = state.tsx.role == pj.PJSIP_ROLE_UAC and state.tsx.method == "INVITE"
            if ours and state.type == pj.PJSIP_EVENT_RX_MSG:
                self._tell("response_came", int(state.tsx.statusCode))
        except Exception as fault:  # noqa: BLE001
            self._endpoint.fault(fault)

    def onCallMediaState(self, prm: pj.OnCallMediaStateParam) -> None:  # noqa: ARG002, N802
        self._tell("media_changed")

    def onCallTransferStatus(self, prm: pj.OnCallTransferStatusParam) -> None:  # noqa: N802
        try:
            code, reason = int(prm.statusCode), fit_for_utf8(str(prm.reason))
            # Else a late NOTIFY comes to whatever call has pj's number of this one by then.
            prm.cont = self.owner is not None and self.owner.is_referring
            self._tell("transfer_status_came", code, reason, bool(prm.finalNotify))
        except Exception as fault:  # noqa: BLE001
            self._endpoint.fault(fault)

    def onDtmfDigit(self, prm: pj.OnDtmfDigitParam) -> None:  # noqa: N802
        try:
            self._tell("digit_came", str(prm.digit))
        except Exception as fault:  # noqa: BLE001
            self._endpoint.fault(fault)

    def _tell(self, event: str, *args: object) -> None:
        if self.owner:
            self._endpoint.post(partial(getattr(self.owner, event), *args))


class CallOwner(Protocol):
    """Whom a call tells what became of it. Each at most once."""

    def call_established(self, call: Call) -> None:
        """Both sides agreed on audio."""

    def call_failed(self, call: Call, sip_code: int, theirs: Offer | None) -> None:
        """They did not. `theirs`: what the other side proposed, as far as it said so."""

    def call_over(self, call: Call) -> None:
        """Nothing of it is left."""

    async def consult(self, target: str) -> Call | TransferStep:
        """A call of ours to `target`, to put somebody through to; or why there is none."""


class Call:
    """See app.ports.Call. Made by `Account`, which keeps it until it is over and hangs up what is left at its end.

    `taken`: set once somebody looks after the call. `rings`: set once the other side's telephone does.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        leg: Leg,
        *,
        call_id: str = "",
        direction: Direction,
        remote: str,
        owner: CallOwner,
    ) -> None:
        self.id = call_id or uuid.uuid4().hex[:12]
        self.direction = direction
        self.remote = remote
        self.taken, self.rings = trio.Event(), trio.Event()
        now_s, came = trio.current_time(), direction == "inbound"
        self._line: int | None = None  # the index of its audio among its media
        self.progress = Progress(now_s, now_s if came else None, now_s if came else None)
        self._endpoint, self._owner = endpoint, owner
        self._leg: Leg | None = leg
        self._audio = CallAudio(endpoint.gaps)
        self._tap: Tap | None = None
        self.on_hold = self._confirmed = self.has_key_events = False
        self._hung_up_code = 0
        self._codec: Connected | None = None
        self._theirs: Offer | None = None
        self._ended: Ended | None = None
        self._referral: Referral | None = None
        self._connected, self._over = trio.Event(), trio.Event()
        self._digits_in, self._digits = trio.open_memory_channel[Dtmf](DTMF_DIGITS)
        leg.owner = self

    def __repr__(self) -> str:
        return f"<Call {self.id} {self.direction} {self._ended or self._codec or 'ringing'}>"

    # -- what app.ports.Call promises ------------------------------------------------------------------------

    @property
    def mouth(self) -> Mouth:
        return self._audio.mouth

    @property
    def lost_frames(self) -> int:
        return self._audio.lost_frames

    @property
    def behind_ms(self) -> int:
        """See app.ports.Call: on average over the call so far."""
        with suppress(pj.Error):  # it ended a moment ago
            if self._leg and self._codec and self._line is not None:
                statistics = self._leg.getStreamStat(self._line)  # bound first: its parts live in it
                return int(statistics.jbuf.avgDelayMsec) + there_and_back_ms(self._codec.codec)
        return 0

    def ears(self) -> AsyncIterator[Frame]:
        return self._audio.ears()

    async def connected(self) -> Connected | Ended:
        await self._connected.wait()
        if self._codec and self._confirmed:
            return self._codec
        return await self.ended()

    async def ended(self) -> Ended:
        while not self._ended:
            await self._over.wait()
        return self._ended

    async def answer(self) -> None:
        self.respond(_OK)
        await trio.lowlevel.checkpoint()

    async def hang_up(self, sip_code: int = 603) -> None:
        """End the call: BYE, CANCEL, or `sip_code` for a caller who was not answered yet. Idempotent.

        The message goes out before this first waits, so that it does even while we are being cancelled. Then waits
        for the end, 2 s at most.
        """
        self.start_hanging_up(sip_code)
        with trio.move_on_after(HANG_UP_S):
            await self._over.wait()
        if not self._ended:
            said = sip_code if self.direction == "inbound" else 0  # a CANCEL has no code
            self._end(Ended(EndedBy.AGENT, said, "hung up; the other side did not confirm it"))

    async def transfer(
        self, to: str, told: Callable[[TransferStep], None], meets: Callable[[Call], Awaitable[bool]] | None = None
    ) -> TransferStep:
        """See app.ports.Call, and transfer.py for the way it goes. Ends within RING_S, REFER_S and END_S, and however
        long `meets` takes."""
        second = await self._owner.consult(to)
        if isinstance(second, TransferStep):
            return second
        met = partial(meets, second) if meets else None
        return await put_through(self, second, partial(self._refer_to, second), told, met)

    def dtmf(self) -> AsyncIterator[Dtmf]:
        """See app.ports.Call: RFC 4733 events, and INFO with application/dtmf-relay."""
        return self._digits

    async def press(self, keys: str) -> bool:
        """See app.ports.Call: as RFC 4733 events, or by INFO where the other side takes no events."""
        for key in keys:
            if key == PAUSE:
                await trio.sleep(PAUSE_S)
                continue
            if self._ended or not (self._confirmed and self._leg and send_key(self._leg, key)):
                return False
            await trio.sleep(KEY_S + GAP_S)
        return not self._ended

    # -- more than that --------------------------------------------------------------------------------------

    def both(self) -> AsyncIterator[Pair]:
        """Both sides from now on, frame by frame, until the end. One reader, with room for 10 s (see `stats`)."""
        return self._audio.both()

    @property
    def stats(self) -> AudioStats:
        return self._audio.stats

    @property
    def is_referring(self) -> bool:
        """A REFER is under way, and somebody waits for what becomes of it."""
        return self._referral is not None and self._referral.last is None

    @property
    def is_over(self) -> bool:
        return self._ended is not None

    # -- for account.py --------------------------------------------------------------------------------------

    def place(self, uri: str, from_header: str, asserted: str) -> None:
        """Send INVITE. `asserted`: the P-Asserted-Identity, if any. Raises: pj.Error."""
        parameters = _call_parameters(0)
        parameters.txOption.localUri = from_header
        if asserted:
            header = pj.SipHeader()
            header.hName, header.hValue = "P-Asserted-Identity", asserted
            parameters.txOption.headers.append(header)
        if self._leg:
            self._leg.makeCall(uri, parameters)

    def respond(self, sip_code: int) -> None:
        """Send 180 or 200 to a caller. One who left meanwhile is no error: the event is on its way."""
        if self._leg and not self._hung_up_code:
            with suppress(pj.Error):
                self._leg.answer(_call_parameters(sip_code))

    def start_hanging_up(self, sip_code: int) -> None:
        """Send what ends the call, now, without waiting."""
        if self._ended or self._hung_up_code or not self._leg:
            return
        self._hung_up_code = sip_code
        with suppress(pj.Error):  # it ended a moment ago: the event is on its way
            self._leg.hangup(_call_parameters(sip_code))

    def abandon(self) -> None:
        """Let go of a call that pj never started, or that did not end in time."""
        self._end(Ended(EndedBy.NETWORK, self._hung_up_code, "no end of the call was seen"))
        self._release()

    # -- what the leg posts ----------------------------------------------------------------------------------

    def state_changed(self, state: int, sip_code: int, reason: str, cut: bool, heard: str) -> None:
        """`heard`: the SIP message that changed it, if one did."""
        self._theirs = read_offer(heard) or self._theirs
        if state == pj.PJSIP_INV_STATE_CONFIRMED:
            self._confirmed = True
            self.progress = replace(self.progress, answered_s=self.progress.answered_s or trio.current_time())
            self._look_whether_connected()
        elif state == pj.PJSIP_INV_STATE_DISCONNECTED:
            ended = self._how_it_ended(sip_code, reason, cut)
            if ended.by is EndedBy.CALLER:
                self.response_came(sip_code)  # pj tells of the end only
            self._end(ended)
            self._release()

    def response_came(self, sip_code: int) -> None:
        """A response to our INVITE, provisional or final."""
        now_s, so_far = trio.current_time(), self.progress
        rang_s = so_far.rang_s or (now_s if sip_code in _RINGS else None)
        if rang_s:
            self.rings.set()
        self.progress = replace(so_far, heard_s=so_far.heard_s or now_s, rang_s=rang_s)

    def media_changed(self) -> None:
        """Connect the tap with whatever audio the negotiation brought; after a hold or a re-INVITE, again."""
        if self._leg and not self._ended:
            with suppress(pj.Error):  # it ended a moment ago: the event is on its way
                self._connect_audio(self._leg)
        self._look_whether_connected()

    def transfer_status_came(self, sip_code: int, reason: str, is_final: bool) -> None:
        if self._referral and not self._referral.last:
            step = self._referral.came(sip_code, reason, is_final=is_final)
            if step.handover is Handover.ANSWERED:
                self._transferred()

    def digit_came(self, digit: str) -> None:
        try:
            self._digits_in.send_nowait(Dtmf(digit, self.mouth.clock_ms))
        except (trio.WouldBlock, trio.BrokenResourceError, trio.ClosedResourceError):
            return  # nobody reads them: the policy of DTMF_DIGITS

    def _connect_audio(self, leg: Leg) -> None:
        info = leg.getInfo()  # bound first: its parts live in it
        audio = [media.status for media in info.media if media.type == pj.PJMEDIA_TYPE_AUDIO]
        self.on_hold = pj.PJSUA_CALL_MEDIA_REMOTE_HOLD in audio
        for index, media in enumerate(info.media):
            if media.type == pj.PJMEDIA_TYPE_AUDIO and media.status == pj.PJSUA_CALL_MEDIA_ACTIVE:
                stream, line = leg.getStreamInfo(index), leg.getAudioMedia(index)
                self._codec = Connected(str(stream.codecName), narrow_band=int(stream.codecClockRate) <= NARROW_HZ)
                self.has_key_events = int(stream.audRxEventPt) > 0
                self._tap = self._tap or self._endpoint.taps.take(self._audio)
                self._line = index
                self._tap.port.startTransmit(line)
                line.startTransmit(self._tap.port)

    def _look_whether_connected(self) -> None:
        if self._confirmed and self._codec and not self._connected.is_set():
            self._connected.set()
            self._owner.call_established(self)

    def _how_it_ended(self, sip_code: int, reason: str, cut: bool) -> Ended:
        if self._codec is None and not self._hung_up_code and sip_code in MEDIA_CODES:
            self._owner.call_failed(self, sip_code, self._theirs)
            return Ended(EndedBy.CALLER, sip_code, reason)  # pj's own 415 too, for an answer that was no use
        by = EndedBy.AGENT if self._hung_up_code else EndedBy.NETWORK if cut else EndedBy.CALLER
        if self._confirmed and not cut:
            return Ended(by, _OK, "BYE")
        if by is EndedBy.AGENT and self.direction == "outbound":
            # pj tells the code that we gave it, and a CANCEL has none. A PBX that heard of the call answers 487.
            return Ended(by, _TERMINATED, "Request Terminated") if self.progress.heard_s else Ended(by, 0, "no answer")
        return Ended(by, sip_code, reason)

    def _end(self, ended: Ended) -> None:
        if self._ended:
            return
        self._ended = ended
        if self._referral:
            self._referral.close()
            if self._referral.succeeded:
                self._transferred()
        self.progress = replace(self.progress, ended_s=trio.current_time())
        self._endpoint.taps.deliver()
        self._audio.close()
        self._digits_in.close()
        self._connected.set()
        self._over.set()

    def _refer_to(self, second: Call) -> Referral:
        """Ask the PBX to put the other sides of both calls together."""
        self._referral = referral = Referral()
        try:
            if self._leg and second._leg:
                self._leg.xferReplaces(second._leg, _call_parameters(0))
            else:
                referral.close()
        except pj.Error as fault:
            referral.came(_BAD_REQUEST, fit_for_utf8(str(fault.reason)), is_final=True)
        return referral

    def _transferred(self) -> None:
        self.progress = replace(self.progress, transferred_s=self.progress.transferred_s or trio.current_time())

    def _release(self) -> None:
        """pj is done with the call: give the tap back and drop the leg (we are not inside its methods here)."""
        if self._tap:
            self._endpoint.taps.give_back(self._tap)
            self._tap = None
        if self._leg:
            self._leg.owner = None
            self._leg = None
        self._owner.call_over(self)


def _call_parameters(sip_code: int) -> pj.CallOpParam:
    parameters = pj.CallOpParam(True)
    parameters.statusCode = sip_code
    parameters.opt.audioCount, parameters.opt.videoCount, parameters.opt.textCount = 1, 0, 0
    return parameters
