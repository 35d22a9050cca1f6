"""What a client shows and checks when it connects to Kafka, for both libraries that do."""

import ssl
from typing import Any

from aiokafka.helpers import create_ssl_context
from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512

from nastavnik_common.settings import KafkaSettings

_SASL = {
    "PLAIN": SASLPlaintext,
    "SCRAM-SHA-256": SASLScram256,
    "SCRAM-SHA-512": SASLScram512,
}


def of_client(settings: KafkaSettings) -> dict[str, Any]:
    """Arguments of any aiokafka client."""
    told: dict[str, Any] = {"security_protocol": settings.kafka_security_protocol}
    if settings.kafka_security_protocol.endswith("SSL"):
        told["ssl_context"] = _context(settings)
    if settings.kafka_security_protocol.startswith("SASL"):
        assert settings.kafka_password is not None
        told |= {
            "sasl_mechanism": settings.kafka_sasl_mechanism,
            "sasl_plain_username": settings.kafka_username,
            "sasl_plain_password": settings.kafka_password.get_secret_value(),
        }
    return told


def _context(settings: KafkaSettings) -> ssl.SSLContext:
    context: ssl.SSLContext = create_ssl_context(cafile=settings.kafka_ca_file)
    # As Python 3.13 does by itself: a certificate is good for all versions, or for none.
    context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def of_broker(settings: KafkaSettings) -> BaseSecurity:
    """The same in FastStream's terms."""
    told = of_client(settings)
    context = told.get("ssl_context")
    if "sasl_mechanism" not in told:
        return BaseSecurity(context)
    kind = _SASL[settings.kafka_sasl_mechanism]
    return kind(told["sasl_plain_username"], told["sasl_plain_password"], context)
