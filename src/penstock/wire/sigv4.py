"""Who is calling and which region they mean, read from a request's Signature Version 4.

Checked: that the parts are there and well-formed, in AWS's order and with AWS's texts (dynalite and
public issues quoting AWS, 2026-10; all of them HTTP 400). Not checked yet: the clock, the key and
the signature itself; those arrive with authentication, and until then the server serves loopback
only.
"""

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import parse_qsl

from penstock.base import limits
from penstock.base.errors import auth
from penstock.base.errors.api import ApiError
from penstock.base.wait import Wait

_ALGORITHM = "AWS4-HMAC-SHA256"
_DYNAMODB = "dynamodb"
_TERMINATOR = "aws4_request"
_STAMP = re.compile(r"\d{8}T\d{6}Z", re.ASCII)
# Wider than AWS's own names: `local` and the like are in wide use with AWS's substitutes.
_REGION = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", re.ASCII)
_REGION_CHARS_MAX = 63
_QUERY_PARTS = ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders")


class Caller(NamedTuple):
    """What the credential scope of a request says, and the host that it was sent to.

    `agent` is the User-Agent header, where the server wants to know it. `wait` is how long the
    answer may be held, where the client says so.
    """

    region: str
    access_key: str
    host: str = ""
    agent: str = ""
    wait: Wait | None = None


class _Claim(NamedTuple):
    """The parts of a signature, wherever they stood; `stamp` is the time of signing."""

    algorithm: str
    credential: str
    signed_headers: str
    stamp: str


def read_caller(headers: Mapping[bytes, bytes], query: bytes, service: str = _DYNAMODB) -> Caller:
    """Return who signed a request with these headers (lower-case names) and this query string.

    `service` is the service that it has to be signed for.

    Raises the ApiError that AWS gives where the signature is missing or not whole.
    """
    authorization = headers.get(b"authorization")
    if query and b"X-Amz-Algorithm" in query:
        parameters = dict(
            parse_qsl(query.decode("latin-1"), keep_blank_values=True, encoding="latin-1")
        )
        if "X-Amz-Algorithm" in parameters:
            caller = _read_query(parameters, service, present=authorization is not None)
            return caller._replace(host=headers.get(b"host", b"").decode("latin-1"))
    if authorization is None:
        raise auth.missing_authentication_token()
    stamp = headers.get(b"x-amz-date") or headers.get(b"date", b"")
    return _read_header(authorization, stamp, headers.get(b"host", b""), service)


def _read_header(authorization: bytes, stamp: bytes, host: bytes, service: str) -> Caller:
    """Return the caller that an Authorization header names.

    A client's headers differ only in their signature, which is last in those of every SDK: what
    stands before it is parsed once and remembered.
    """
    unsigned, mark, signature = authorization.rpartition(b"Signature=")
    if (
        signature.isalnum()
        and mark
        and len(unsigned) + len(stamp) + len(host) <= limits.cached_authorization_bytes_max
        and (caller := _remembered_caller(unsigned, stamp, host, service)) is not None
    ):
        return caller
    claim = _claim_of_header(authorization.decode("latin-1"), stamp.decode("latin-1"))
    return _checked(claim, service)._replace(host=host.decode("latin-1"))


@lru_cache(maxsize=limits.caller_cache_entries_max)
def _remembered_caller(unsigned: bytes, stamp: bytes, host: bytes, service: str) -> Caller | None:
    """Return the caller of a header with any signature, or None where the header is at fault."""
    whole = unsigned.decode("latin-1") + "Signature=0"
    try:
        caller = _checked(_claim_of_header(whole, stamp.decode("latin-1")), service)
    except ApiError:
        return None
    return caller._replace(host=host.decode("latin-1"))


def _claim_of_header(authorization: str, stamp: str) -> _Claim:
    algorithm, _, rest = authorization.strip().partition(" ")
    if not algorithm.startswith("AWS4-"):
        raise auth.missing_authentication_token()
    parts = {}
    for part in rest.split(","):
        name, _, value = part.strip().partition("=")
        parts[name] = value
    missing = [
        f"Authorization header requires '{name}' parameter. "
        for name in ("Credential", "Signature", "SignedHeaders")
        if not parts.get(name)
    ]
    if not stamp:
        missing.append(
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "
        )
    if missing:
        raise auth.incomplete_signature(f"{''.join(missing)}Authorization={authorization}")
    return _Claim(algorithm, parts["Credential"], parts["SignedHeaders"], stamp)


def _read_query(parameters: Mapping[str, str], service: str, *, present: bool) -> Caller:
    """Return the caller that the parameters of a presigned URL name.

    `present` says that an Authorization header came with it. The text for missing parts is not
    confirmed by a source of the facts.
    """
    if present:
        raise auth.invalid_signature(
            "Found both 'X-Amz-Algorithm' as a query-string param "
            "and 'Authorization' as HTTP header."
        )
    missing = [
        f"AWS query-string parameters must include '{name}'. "
        for name in (*_QUERY_PARTS, "X-Amz-Date")
        if not parameters.get(name)
    ]
    if missing:
        raise auth.incomplete_signature(
            f"{''.join(missing)}Re-examine the query-string parameters."
        )
    algorithm, credential, _, signed_headers = (parameters[name] for name in _QUERY_PARTS)
    claim = _Claim(algorithm, credential, signed_headers, parameters["X-Amz-Date"])
    return _checked(claim, service)


def _checked(claim: _Claim, wanted: str) -> Caller:
    """Return the caller of a claim that is whole, for the service that is `wanted`.

    In AWS's order: 1. the form of the date, 2. host among the signed headers, 3. the algorithm,
    4. the number of scope elements, 5. their values.
    """
    stamp = _basic_stamp(claim.stamp)  # 1
    if "host" not in claim.signed_headers.lower().split(";"):  # 2
        raise auth.invalid_signature("'Host' must be a 'SignedHeader' in the AWS Authorization.")
    if claim.algorithm != _ALGORITHM:  # 3
        raise auth.incomplete_signature(
            f"Unsupported AWS 'algorithm': '{claim.algorithm}' (only {_ALGORITHM} for now). "
        )
    elements = claim.credential.split("/")
    if len(elements) != 5:  # 4
        raise auth.incomplete_signature(
            "Credential must have exactly 5 slash-delimited elements, "
            f"e.g. keyid/date/region/service/term, got '{claim.credential}'"
        )
    access_key, date, region, service, terminator = elements
    faults = _scope_faults((date, region, service, terminator), wanted, stamp)  # 5
    if faults:
        raise auth.invalid_signature(faults)
    return Caller(region, access_key)


def _scope_faults(scope: tuple[str, str, str, str], wanted: str, stamp: str) -> str:
    """Return the sentences about what is wrong in a credential scope; none where nothing is."""
    date, region, service, terminator = scope
    faults = ""
    if len(region) > _REGION_CHARS_MAX or _REGION.fullmatch(region) is None:
        faults += f"Credential should be scoped to a valid region, not '{region}'. "
    if service != wanted:
        faults += f"Credential should be scoped to correct service: '{wanted}'. "
    if terminator != _TERMINATOR:
        faults += (
            "Credential should be scoped with a valid terminator: "
            f"'{_TERMINATOR}', not '{terminator}'. "
        )
    if date != stamp[:8]:
        faults += (
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date "
            f"from HTTP: '{date}' != '{stamp[:8]}', from '{stamp}'."
        )
    return faults


def _basic_stamp(stamp: str) -> str:
    """Return the time of signing in ISO 8601's basic form; a Date header may hold HTTP's form."""
    stamp = stamp.strip()
    if _STAMP.fullmatch(stamp) is not None:
        return stamp
    try:
        return parsedate_to_datetime(stamp).strftime("%Y%m%dT%H%M%SZ")
    except (ValueError, OverflowError):
        raise auth.incomplete_signature(
            f"Date must be in ISO-8601 'basic format'. Got '{stamp}'. "
            "See http://en.wikipedia.org/wiki/ISO_8601"
        ) from None
