"""Tokens: only those of the issuer, for us, in time, and signed by a key of the issuer's."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from nastavnik_common.auth import MAX_TOKEN, Grant, ProviderAwayError, Role, TokenError, Verifier
from nastavnik_common.auth_keys import RemoteKeys
from nastavnik_common.auth_setup import AuthSettingsError, create_verifier
from nastavnik_common.settings import Settings

ISSUER = "https://id.example/realms/region"
PRIVATE = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CURVE = ec.generate_private_key(ec.SECP256R1())
PEM = PRIVATE.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)
Claims = dict[str, Any]


def jwk(private: Any, kid: str, **more: Any) -> Claims:
    kind = jwt.algorithms.RSAAlgorithm if isinstance(private, rsa.RSAPrivateKey) else None
    made = (kind or jwt.algorithms.ECAlgorithm).to_jwk(private.public_key(), as_dict=True)
    return {**made, "kid": kid, "use": "sig", **more}


class Provider:
    """An OpenID provider that can be down, and change its keys."""

    def __init__(self) -> None:
        self.keys: list[Claims] = [jwk(PRIVATE, "one"), jwk(CURVE, "curve", alg="ES256")]
        self.issuer = ISSUER
        self.down = False
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path)
        if self.down:
            raise httpx.ConnectError("down", request=request)
        if request.url.path.endswith("/.well-known/openid-configuration"):
            about = {"issuer": self.issuer, "jwks_uri": "https://id.example/keys"}
            return httpx.Response(200, json=about)
        return httpx.Response(200, json={"keys": self.keys})

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(self))


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def clock() -> list[float]:
    return [1000.0]


@pytest.fixture
def verifier(provider: Provider, clock: list[float]) -> Verifier:
    keys = RemoteKeys(ISSUER, provider.client, now=lambda: clock[0])
    allowed = frozenset({"RS256", "ES256"})
    return Verifier(keys, ISSUER, "nastavnik", allowed, 30, "nastavnik_grants")


def claims(**more: Any) -> Claims:
    now = time.time()
    usual = {"iss": ISSUER, "aud": "nastavnik", "sub": "someone", "iat": now, "exp": now + 60}
    made = {**usual, **more}
    return {name: value for name, value in made.items() if value is not None}


def signed(
    given: Claims | None = None, key: Any = PRIVATE, alg: str = "RS256", **header: Any
) -> str:
    return jwt.encode(given or claims(), key, alg, {"kid": "one", **header})


def by_hand(header: Claims, signature: bytes = b"") -> str:
    parts = [json.dumps(header).encode(), json.dumps(claims()).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def hmac_with_the_public_key() -> str:
    head = by_hand({"alg": "HS256", "kid": "one"}).rpartition(".")[0]
    mark = hmac.new(PEM, head.encode(), hashlib.sha256).digest()
    return f"{head}.{base64.urlsafe_b64encode(mark).rstrip(b'=').decode()}"


async def test_a_good_token_says_who_and_what(verifier: Verifier) -> None:
    unit = uuid4()
    given = [
        {"role": "school_curator", "unit": str(unit)},
        {"role": "auditor", "unit": "all"},
        {"role": "emperor", "unit": "all"},
        {"role": "operations", "unit": "everywhere"},
        {"role": "operations"},
        "operations",
    ]
    actor = await verifier.actor(signed(claims(nastavnik_grants=given, aud=["x", "nastavnik"])))
    assert actor.grants == (Grant(Role.SCHOOL, unit), Grant(Role.AUDITOR, None))
    assert actor.roots({Role.SCHOOL}) == frozenset({unit})
    assert actor.roots({Role.SCHOOL, Role.AUDITOR}) is None
    assert not actor.has({Role.OPERATIONS})
    assert "someone" not in actor.ident
    same = await verifier.actor(signed(claims(), CURVE, "ES256", kid="curve"))
    assert same.ident == actor.ident
    assert same.grants == ()


def _late(**more: float) -> Claims:
    return claims(**{name: time.time() + seconds for name, seconds in more.items()})


HOSTILE: dict[str, tuple[Callable[[], str], str]] = {
    "unsigned": (lambda: by_hand({"alg": "none", "kid": "one"}), "token_algorithm"),
    "unsigned, in capitals": (lambda: by_hand({"alg": "NONE", "kid": "one"}), "token_algorithm"),
    "hmac with the public key": (hmac_with_the_public_key, "token_algorithm"),
    "an algorithm not allowed": (lambda: signed(alg="RS512"), "token_algorithm"),
    "an algorithm that is no text": (lambda: by_hand({"alg": 5, "kid": "one"}), "token_algorithm"),
    "a list of algorithms": (lambda: by_hand({"alg": ["RS256"], "kid": "one"}), "token_algorithm"),
    "a key that is no text": (lambda: by_hand({"alg": "RS256", "kid": ["one"]}), "token_malformed"),
    "another key of the same name": (lambda: signed(key=OTHER), "token_signature"),
    "the key of another algorithm": (lambda: signed(kid="curve"), "token_algorithm"),
    "no signature": (lambda: by_hand({"alg": "RS256", "kid": "one"}), "token_signature"),
    "altered": (
        lambda: ".".join([signed().split(".")[0], signed(_late(exp=900)).split(".")[1], "AA"]),
        "token_signature",
    ),
    "an unknown key": (lambda: signed(kid="two"), "token_key"),
    "a path for a key": (lambda: signed(kid="../../../dev/null"), "token_key"),
    "no key": (lambda: jwt.encode(claims(), PRIVATE, "RS256"), "token_key"),
    "its own key": (
        lambda: signed(key=OTHER, kid="two", jwk=jwk(OTHER, "two"), jku="https://evil.example/"),
        "token_key",
    ),
    "extensions": (lambda: signed(crit=["b64"], b64=True), "token_malformed"),
    "another audience": (lambda: signed(claims(aud="account")), "token_audience"),
    "no audience": (lambda: signed(claims(aud=None)), "token_claims"),
    "another issuer": (lambda: signed(claims(iss="https://evil.example")), "token_issuer"),
    "another tenant": (
        lambda: signed(claims(iss="https://id.example/realms/other")),
        "token_issuer",
    ),
    "no issuer": (lambda: signed(claims(iss=None)), "token_claims"),
    "expired": (lambda: signed(_late(exp=-31)), "token_expired"),
    "for ever": (lambda: signed(claims(exp=None)), "token_claims"),
    "an end that is no number": (lambda: signed(claims(exp="tomorrow")), "token_malformed"),
    "the future": (lambda: signed(_late(nbf=60, exp=900)), "token_not_yet_valid"),
    "issued in the future": (lambda: signed(_late(iat=60, exp=900)), "token_not_yet_valid"),
    "nobody": (lambda: signed(claims(sub=None)), "token_claims"),
    "too large": (lambda: signed(claims(more="x" * MAX_TOKEN)), "token_too_large"),
    "no token at all": (lambda: "secret", "token_malformed"),
    "empty parts": (lambda: "..", "token_malformed"),
    "no JSON": (lambda: "e30.e30.e30", "token_algorithm"),
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_tokens_are_refused(verifier: Verifier, name: str) -> None:
    make, code = HOSTILE[name]
    with pytest.raises(TokenError) as refused:
        await verifier.actor(make())
    assert refused.value.code == code
    assert refused.value.status == 401
    assert "evil" not in refused.value.detail


async def test_clocks_may_differ_a_little(verifier: Verifier) -> None:
    await verifier.actor(signed(_late(exp=-20)))
    await verifier.actor(signed(_late(nbf=20, exp=60)))


async def test_keys_rotate(verifier: Verifier, provider: Provider, clock: list[float]) -> None:
    await verifier.actor(signed())
    provider.keys = [jwk(OTHER, "two")]
    clock[0] += 11
    await verifier.actor(signed(key=OTHER, kid="two"))
    with pytest.raises(TokenError) as refused:
        await verifier.actor(signed())
    assert refused.value.code == "token_key"


async def test_a_key_that_was_withdrawn_is_forgotten(
    verifier: Verifier, provider: Provider, clock: list[float]
) -> None:
    await verifier.actor(signed())
    provider.keys = [jwk(OTHER, "two")]
    clock[0] += 301
    with pytest.raises(TokenError):
        await verifier.actor(signed())


async def test_strangers_cannot_make_us_ask_the_provider_again_and_again(
    verifier: Verifier, provider: Provider, clock: list[float]
) -> None:
    for number in range(50):
        with pytest.raises(TokenError):
            await verifier.actor(signed(kid=f"made-up-{number}"))
        clock[0] += 0.1
    assert len(provider.asked) == 2


async def test_while_the_provider_is_down_known_keys_stay_good(
    verifier: Verifier, provider: Provider, clock: list[float]
) -> None:
    provider.down = True
    with pytest.raises(ProviderAwayError):
        await verifier.actor(signed())
    provider.down = False
    clock[0] += 11
    await verifier.actor(signed())
    provider.down = True
    clock[0] += 86_400
    await verifier.actor(signed())


@pytest.mark.parametrize(
    "keys",
    [
        [{"kty": "oct", "kid": "one", "k": "c2VjcmV0"}],
        [jwk(PRIVATE, "one", use="enc")],
        [jwk(PRIVATE, "one", alg="RS512")],
        [{"kty": "RSA", "kid": "one"}],
        ["one", None],
        {"one": 1},
    ],
)
async def test_keys_that_do_not_sign_are_no_use(
    verifier: Verifier, provider: Provider, keys: Any
) -> None:
    provider.keys = keys
    with pytest.raises((TokenError, ProviderAwayError)):
        await verifier.actor(signed())


async def test_a_provider_that_says_it_is_another_is_not_believed(
    verifier: Verifier, provider: Provider
) -> None:
    provider.issuer = "https://id.example/realms/other"
    with pytest.raises(ProviderAwayError):
        await verifier.actor(signed())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"auth": "oidc"}, "NASTAVNIK_AUTH_ISSUER is not set"),
        ({"auth": "oidc", "auth_issuer": "region"}, "no[t]? an? HTTP address|not an HTTP"),
        (
            {"auth": "oidc", "auth_issuer": ISSUER, "auth_algorithms": "RS256, HS256"},
            "not asymmetric: HS256",
        ),
        (
            {"auth": "oidc", "auth_issuer": ISSUER, "auth_algorithms": "none"},
            "not asymmetric: none",
        ),
        ({"auth": "development", "auth_keys": None}, "NASTAVNIK_AUTH_KEYS"),
    ],
)
def test_a_service_that_would_let_anybody_in_does_not_start(
    monkeypatch: pytest.MonkeyPatch, given: Claims, message: str
) -> None:
    for name in ("NASTAVNIK_AUTH", "NASTAVNIK_AUTH_KEYS", "NASTAVNIK_AUTH_ISSUER"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(AuthSettingsError, match=message):
        create_verifier(Settings(database_url="postgresql+asyncpg://localhost/none", **given))
