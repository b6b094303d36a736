"""A connection as pj's settings of an account."""

from __future__ import annotations

import pjsua2 as pj
from pydantic import SecretStr

from app.settings import Connection
from firmware.telephony.address import Route
from firmware.telephony.endpoint import EndpointConfig
from firmware.telephony.uris import name_addr, target_uri

_SRTP = {
    "off": pj.PJMEDIA_SRTP_DISABLED,
    "optional": pj.PJMEDIA_SRTP_OPTIONAL,
    "mandatory": pj.PJMEDIA_SRTP_MANDATORY,
}


def account_config(
    connection: Connection, route: Route, transport_id: int, endpoint: EndpointConfig
) -> pj.AccountConfig:
    """`transport_id`: pj's, of the transport that faces `route`."""
    transport = "" if connection.transport == "udp" else f";transport={connection.transport}"
    login = connection.login or SecretStr(connection.user)
    config = pj.AccountConfig()
    name = connection.caller_id if connection.caller_id_from == "name" else ""
    config.idUri = name_addr(name, target_uri(connection.user, connection.domain))
    registering, sip, media = config.regConfig, config.sipConfig, config.mediaConfig
    registering.registrarUri = f"sip:{connection.domain}{transport}"
    registering.registerOnAdd, registering.disableRegOnModify = False, True
    registering.timeoutSec = connection.expiry_s
    registering.retryIntervalSec = 0  # ours: see registration.RetryRule
    credentials = pj.AuthCredInfo("digest", "*", login.get_secret_value(), 0, connection.password.get_secret_value())
    sip.authCreds.append(credentials)
    # The hidden route says where to send to, and leaves the domain in every URI as the PBX knows it.
    sip.proxies.append(f"sip:{route.host_port}{transport};lr;hide")
    sip.transportId = transport_id
    family = pj.PJSUA_IPV6_ENABLED_USE_IPV6_ONLY if route.is_ipv6 else pj.PJSUA_IPV6_DISABLED
    sip.ipv6Use = media.ipv6Use = family
    config.natConfig.sipOutboundUse = 0  # RFC 5626 is for proxies on the Internet
    media.srtpUse, media.srtpSecureSignaling = _SRTP[connection.srtp], 0  # whether SIP goes over TLS is the owner's
    media.srtpOpt.keyings.append(pj.PJMEDIA_SRTP_KEYING_SDES)
    media.transportConfig.boundAddress = route.local_host
    media.transportConfig.port = endpoint.rtp_first_port
    media.transportConfig.portRange = endpoint.rtp_ports
    return config
