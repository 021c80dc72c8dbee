"""RFC 3161 timestamps 可信时间戳: an authority outside the city signs when a head was there.

The only address that is called is the configured one: no redirect is followed and no proxy used. Authorities that sign
by RSA or ECDSA are understood; SM2 signatures are not (the library's verification has none). The library also refuses
certificates that an answer holds in another order than DER's, as OpenSSL's authority sends its chain: where the
authority's own certificate is configured too, answers are asked for without any.
"""

import http.client
import ssl
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder, VerificationError, VerifierBuilder
from rfc3161_client import decode_timestamp_response as decode

#: Seconds that the authority may take, and bytes of its answer at most.
_SECONDS = 20
_MOST_BYTES = 100_000


class TimestampRefused(RuntimeError):
    """The authority gave no timestamp, or one that does not hold."""


def timestamp(data: bytes, url: str, authorities: Path) -> bytes:
    """A timestamp (DER, ``TimeStampResp``) over the data from the authority at ``url``, verified.

    ``authorities`` is a PEM file of the root certificates that it must lead to, and possibly of the authority's own.
    Raises :class:`TimestampRefused`.
    """
    signer = _trusted(authorities)[1]
    builder = TimestampRequestBuilder().data(data).hash_algorithm(HashAlgorithm.SHA256)
    request = builder.cert_request(cert_request=signer is None).build()
    answer = _ask(url, request.as_bytes())
    verify_timestamp(answer, data, authorities, nonce=request.nonce)
    return answer


def verify_timestamp(answer: bytes, data: bytes, authorities: Path, nonce: int | None = None) -> datetime:
    """When the data was timestamped, by a signature that leads to one of the root certificates.

    Raises :class:`TimestampRefused` if it does not, or is over other data, or not the answer to ``nonce``.
    """
    try:
        response = decode(answer)
        roots, signer = _trusted(authorities)
        VerifierBuilder(roots=roots, tsa_certificate=signer, nonce=nonce).build().verify_message(response, data)
        return response.tst_info.gen_time
    except (VerificationError, ValueError) as error:
        raise TimestampRefused(f"the timestamp does not hold: {error}") from None


def _trusted(authorities: Path) -> tuple[list[x509.Certificate], x509.Certificate | None]:
    """The certificates that sign others, and the one that signs timestamps, if it is among them."""
    try:
        found = x509.load_pem_x509_certificates(authorities.read_bytes())
    except (OSError, ValueError) as error:
        raise TimestampRefused(f"{authorities} holds no certificates: {error}") from None
    signers = [certificate for certificate in found if _signs_timestamps(certificate)]
    return [certificate for certificate in found if certificate not in signers], next(iter(signers), None)


def _signs_timestamps(certificate: x509.Certificate) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return False
    return ExtendedKeyUsageOID.TIME_STAMPING in usage


def _ask(url: str, request: bytes) -> bytes:
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port
    connection = (
        http.client.HTTPSConnection(host, port, timeout=_SECONDS, context=ssl.create_default_context())
        if parts.scheme == "https"
        else http.client.HTTPConnection(host, port, timeout=_SECONDS)
    )
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request("POST", path, request, {"Content-Type": "application/timestamp-query"})
        answer = connection.getresponse()
        body = answer.read(_MOST_BYTES + 1)
    except (OSError, http.client.HTTPException) as error:
        raise TimestampRefused(f"{url} cannot be reached: {error}") from None
    finally:
        connection.close()
    if answer.status != http.client.OK or len(body) > _MOST_BYTES:
        raise TimestampRefused(f"{url} answered with status {answer.status} and {len(body)} bytes")
    return body
