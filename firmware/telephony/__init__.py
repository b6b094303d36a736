"""The telephone: the only importer of pjsua2.

    async with serving(run_endpoint, EndpointConfig(user_agent="Deskbell/0.1.0")) as endpoint:
        async with serving(run_account, endpoint, connection) as account:
            async for call in account.incoming():
                ...

`run_endpoint(config)` serves an `Endpoint`: the SIP stack, one at a time in a process. `endpoint.gaps` has how
punctual the audio clock was (`max_ms`, `quantile_ms(0.999)`), over all calls.

`run_account(endpoint, connection, retry=None, memory=None)` serves an `Account`, from an app.settings.Connection:
  account.registration       -> Registration(cause, sip_code, reason, expires_s, next_try) now
  account.registrations()    -> async iterator: the same now, then every change (the latest, for a slow reader)
  account.incoming()         -> async iterator of Call that ring; untaken ones get 480 after 10 s, more than 4
                                waiting get 486
  account.change(connection) -> other settings from now on; calls stay up
  account.calls              -> all calls that are not over
  account.memory             -> CallMemory: what it has seen of calls, and why some were not established
  await account.dial("201" or "sip:...") -> Call; raises BadTargetError, NotConnectedError, TooManyCallsError

`Call` is app.ports.Call, and more:
  call.both()                -> async iterator of firmware.audio.Pair(at_ms, caller, agent): for a recording
  call.send_dtmf("123#")
  call.stats                 -> AudioStats(lost_frames, recorder_lost_frames, underruns, gap_max_ms, gap_p999_ms)
  call.is_over

Stopping the account (leaving its `async with`, cancelled or not) sends BYE to its calls and un-REGISTER, within 2 s.
`PortTakenError` and `TelephonyError` come out of `serving` in an `ExceptionGroup`; their texts are for users.
"""

from firmware.audio.call_audio import AudioStats, Durations
from firmware.telephony.account import GOOD_BYE_S, Account, NotConnectedError, TooManyCallsError, run_account
from firmware.telephony.call import Call
from firmware.telephony.endpoint import CODECS, Endpoint, EndpointConfig, run_endpoint
from firmware.telephony.memory import CallMemory
from firmware.telephony.registration import Cause, Registration, RetryRule
from firmware.telephony.transports import PortTakenError, TelephonyError
from firmware.telephony.uris import BadTargetError, target_uri

__all__ = [
    "CODECS",
    "GOOD_BYE_S",
    "Account",
    "AudioStats",
    "BadTargetError",
    "Call",
    "CallMemory",
    "Cause",
    "Durations",
    "Endpoint",
    "EndpointConfig",
    "NotConnectedError",
    "PortTakenError",
    "Registration",
    "RetryRule",
    "TelephonyError",
    "TooManyCallsError",
    "run_account",
    "run_endpoint",
    "target_uri",
]
