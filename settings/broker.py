"""Client properties from the broker section; every client of the broker gets TLS and SASL from here."""

import ssl
from dataclasses import dataclass
from typing import Any

from loanpulse.settings.client_errors import ClientErrors
from loanpulse.settings.loading import SettingsError
from loanpulse.settings.model import BrokerSection, Settings


def librdkafka_properties(settings: Settings, **extra: Any) -> dict[str, Any]:
    """Return the properties with which a confluent-kafka client reaches the broker, and ``extra`` properties."""
    broker = settings.broker
    properties: dict[str, Any] = {
        "bootstrap.servers": broker.bootstrap_servers,
        "security.protocol": broker.security_protocol,
        "client.id": "loanpulse",
        "socket.keepalive.enable": True,
        # Try every address of a host name, such as ::1 and 127.0.0.1, instead of one family only.
        "broker.address.family": "any",
        # At the default level the library logs every attempt to connect, some twenty a second; error_cb logs them.
        "log_level": 2,
        "error_cb": ClientErrors(),
    }
    if broker.uses_sasl:
        properties["sasl.mechanism"] = broker.sasl_mechanism
        properties["sasl.username"] = broker.sasl_username
        properties["sasl.password"] = broker.sasl_password.get_secret_value()
    if broker.uses_tls:
        files = {
            "ssl.ca.location": broker.ssl_ca_location,
            "ssl.certificate.location": broker.ssl_certificate_location,
            "ssl.key.location": broker.ssl_key_location,
            "ssl.key.password": broker.ssl_key_password.get_secret_value(),
        }
        properties.update({name: value for name, value in files.items() if value})
    return {**properties, **extra}


def producer_properties(settings: Settings, **extra: Any) -> dict[str, Any]:
    """Return the properties of an idempotent producer that partitions by murmur2, as Java clients do."""
    return librdkafka_properties(
        settings,
        **{
            "enable.idempotence": True,
            "acks": "all",
            "partitioner": "murmur2_random",
            "compression.type": "lz4",
            "linger.ms": 5,
            **extra,
        },
    )


def consumer_properties(settings: Settings, group: str, **extra: Any) -> dict[str, Any]:
    """Return the properties of a consumer that never commits by itself and starts at the earliest offset."""
    timeouts = settings.broker.group_timeouts
    return librdkafka_properties(
        settings,
        **{
            "group.id": group,
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "earliest",
            "session.timeout.ms": int(timeouts.session_seconds * 1000),
            "heartbeat.interval.ms": int(timeouts.heartbeat_seconds * 1000),
            # With the defaults a consumer that is slower than the broker stops fetching for a second at a time.
            "queued.min.messages": 20_000,
            "fetch.queue.backoff.ms": 20,
            "fetch.wait.max.ms": 100,
            **extra,
        },
    )


@dataclass(frozen=True, slots=True)
class FaustSecurity:
    """TLS and SASL as plain values, for the client that Faust creates."""

    ssl_context: ssl.SSLContext | None
    mechanism: str
    username: str
    password: str


def _tls_context(broker: BrokerSection) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=broker.ssl_ca_location or None)
    except ssl.SSLError as error:
        raise SettingsError(
            f"broker.ssl_ca_location ({broker.ssl_ca_location}) is not a PEM certificate: {error.reason}."
        ) from error
    if broker.ssl_certificate_location:
        try:
            context.load_cert_chain(
                broker.ssl_certificate_location,
                broker.ssl_key_location or None,
                broker.ssl_key_password.get_secret_value() or None,
            )
        except ssl.SSLError as error:
            raise SettingsError(
                "broker.ssl_certificate_location and broker.ssl_key_location are not a matching PEM pair, "
                f"or broker.ssl_key_password is wrong: {error.reason}."
            ) from error
    return context


def faust_security(settings: Settings) -> FaustSecurity:
    """Return the broker section's TLS and SASL for Faust; raises SettingsError if a file is not PEM."""
    broker = settings.broker
    context = None
    if broker.uses_tls:
        context = _tls_context(broker)
    sasl = broker.uses_sasl
    return FaustSecurity(
        context,
        broker.sasl_mechanism if sasl else "",
        broker.sasl_username if sasl else "",
        broker.sasl_password.get_secret_value() if sasl else "",
    )
