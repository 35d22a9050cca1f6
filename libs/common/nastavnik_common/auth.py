"""Who asks: a bearer token of OpenID Connect → an actor with roles in parts of the org tree."""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

import jwt

from nastavnik_common.errors import DomainError

MAX_TOKEN = 8 * 1024
"""Bytes. Longer ones are refused unread."""
REQUIRED = ("iss", "aud", "exp", "iat", "sub")
EVERYWHERE = "all"
"""What a grant names in the place of a unit when it is not limited to a part of the tree."""


class Role(StrEnum):
    """What a grant allows. docs/guides/access.md says which route takes which."""

    REGION = "region_administrator"
    MUNICIPALITY = "municipality_coordinator"
    SCHOOL = "school_curator"
    INTEGRATOR = "integrator"
    AUDITOR = "auditor"
    SERVICE = "service"
    OPERATIONS = "operations"


@dataclass(frozen=True)
class Grant:
    """A role for a unit and all below it as the tree is now; `unit` None: for everything."""

    role: Role
    unit: UUID | None


@dataclass(frozen=True)
class Actor:
    """`ident` is opaque, the same for one subject of one issuer; `expires` in Unix seconds."""

    ident: str
    grants: tuple[Grant, ...]
    expires: float

    def roots(self, roles: Collection[Role]) -> frozenset[UUID] | None:
        """The units for which one of the roles is granted; None: everything."""
        units = [grant.unit for grant in self.grants if grant.role in roles]
        return None if None in units else frozenset(u for u in units if u is not None)

    def has(self, roles: Collection[Role]) -> bool:
        return any(grant.role in roles for grant in self.grants)


class TokenError(DomainError):
    """401. The code says what is wrong with the token; nothing of it is repeated."""

    status = 401


class ProviderAwayError(DomainError):
    """No key is known, and the provider of keys does not answer."""

    status = 503

    def __init__(self) -> None:
        super().__init__("auth.unavailable", "Tokens cannot be verified at the moment. Try again.")


class Keys(Protocol):
    async def find(self, ident: str) -> Mapping[str, Any] | None:
        """The public JSON Web Key with the id. ProviderAwayError when none is known at all."""
        ...


@dataclass(frozen=True)
class Verifier:
    """Verifies tokens of one issuer for one audience."""

    keys: Keys
    issuer: str
    audience: str
    algorithms: frozenset[str]
    skew_seconds: float
    grants_claim: str

    async def actor(self, token: str) -> Actor:
        """TokenError when it is not to be trusted."""
        header = _header(token)
        algorithm = header.get("alg")
        if not isinstance(algorithm, str) or algorithm not in self.algorithms:
            raise TokenError("token_algorithm", "The token is signed by an algorithm not allowed.")
        ident = header.get("kid")
        found = await self.keys.find(ident) if isinstance(ident, str) else None
        if found is None:
            raise TokenError("token_key", "The token names no key of the issuer.")
        claims = self._claims(token, _key(found, algorithm), algorithm)
        return self._actor(claims)

    def _claims(self, token: str, key: jwt.PyJWK, algorithm: str) -> Mapping[str, Any]:
        try:
            return jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=self.audience,
                issuer=self.issuer,
                leeway=self.skew_seconds,
                options={"require": list(REQUIRED)},
            )
        except jwt.PyJWTError as error:
            raise _refusal(error) from None

    def _actor(self, claims: Mapping[str, Any]) -> Actor:
        subject = f"{claims['iss']}\n{claims['sub']}"
        ident = hashlib.sha256(subject.encode()).hexdigest()[:16]
        grants = tuple(_grants(claims.get(self.grants_claim, [])))
        return Actor(ident, grants, float(claims["exp"]))


def is_asymmetric(algorithm: str) -> bool:
    """With a symmetric one whoever verifies could sign as well."""
    return algorithm[:2] in ("RS", "PS", "ES") or algorithm == "EdDSA"


def _header(token: str) -> Mapping[str, Any]:
    if len(token) > MAX_TOKEN:
        raise TokenError("token_too_large", f"A token has at most {MAX_TOKEN} bytes.")
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise TokenError("token_malformed", "The token is no JSON Web Token.") from None
    if "crit" in header:
        raise TokenError("token_malformed", "The token asks for extensions that are unknown here.")
    return header


def _key(found: Mapping[str, Any], algorithm: str) -> jwt.PyJWK:
    """The key for the algorithm: never for one it was not made for."""
    if found.get("alg", algorithm) != algorithm:
        raise TokenError("token_algorithm", "The token's key is for another algorithm.")
    try:
        return jwt.PyJWK(dict(found), algorithm)
    except jwt.PyJWTError:
        raise TokenError("token_algorithm", "The token's key is for another algorithm.") from None


# The most particular first: some are kinds of others.
_REFUSALS: tuple[tuple[type[Exception], str, str], ...] = (
    (jwt.ExpiredSignatureError, "token_expired", "The token has expired."),
    (jwt.ImmatureSignatureError, "token_not_yet_valid", "The token is not valid yet."),
    (jwt.InvalidAudienceError, "token_audience", "The token is meant for another audience."),
    (jwt.InvalidIssuerError, "token_issuer", "The token is of another issuer."),
    (jwt.MissingRequiredClaimError, "token_claims", "The token lacks a claim that is needed."),
    (jwt.InvalidSignatureError, "token_signature", "The token's signature does not fit."),
    (jwt.InvalidAlgorithmError, "token_algorithm", "The token's algorithm is not allowed."),
    (jwt.InvalidKeyError, "token_algorithm", "The token's key is for another algorithm."),
    (jwt.DecodeError, "token_malformed", "The token is no JSON Web Token."),
)


def _refusal(error: Exception) -> TokenError:
    for kind, code, detail in _REFUSALS:
        if isinstance(error, kind):
            # a claim that is there, and of the wrong kind, is malformed to PyJWT
            return TokenError(code, detail)
    return TokenError("token_claims", "A claim of the token is not as it must be.")


def _grants(claim: Any) -> Iterable[Grant]:
    """Roles that are not ours mean nothing here; a unit that is none grants nothing."""
    for each in claim if isinstance(claim, list) else ():
        if not isinstance(each, dict) or each.get("role") not in set(Role):
            continue
        unit = each.get("unit")
        if unit == EVERYWHERE:
            yield Grant(Role(each["role"]), None)
        elif isinstance(unit, str) and (ident := _uuid(unit)) is not None:
            yield Grant(Role(each["role"]), ident)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
