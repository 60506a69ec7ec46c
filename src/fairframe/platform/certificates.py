"""A workspace's own small certificate authority for content credentials.

C2PA asks for an X.509 chain: an end-entity certificate that may only sign, issued by an authority that a reader
pins as trust anchor. Profile: C2PA Technical Specification, "Certificate profiles" (X.509 v3, ECDSA P-256 with
SHA-256, digitalSignature, one allowed extended key usage, authority and subject key identifiers).
"""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from fairframe.core.party import check_name

DOCUMENT_SIGNING = ObjectIdentifier("1.3.6.1.5.5.7.3.36")
"""id-kp-documentSigning (RFC 9336)."""

VALID_DAYS = 3650
# a signature made in the same second as its certificate must not read as "not yet valid" on another clock
BACKDATE = timedelta(hours=1)


class C2paIdentity(NamedTuple):
    """PEM documents of one identity: others pin `ca_pem`; `chain_pem` and `key_pem` sign.

    The chain holds the end entity alone: C2PA wants the trust anchor left out of it.
    """

    ca_pem: bytes
    chain_pem: bytes
    key_pem: bytes


def make_c2pa_ca(name: str, now_ms: int, *, valid_days: int = VALID_DAYS) -> C2paIdentity:
    """A new authority and a signing certificate under it, both ECDSA P-256, for the party `name`.

    The authority's private key is dropped: it has signed the only certificate that it ever will, so nobody can
    issue another one in its name.

    Raises InputError if the name is no party's name (core.party.check_name).
    """
    check_name(name)
    start = datetime.fromtimestamp(now_ms / 1000, UTC) - BACKDATE
    end = start + timedelta(days=valid_days)
    ca_key = ec.generate_private_key(ec.SECP256R1())
    key = ec.generate_private_key(ec.SECP256R1())
    ca_name = _name(name, "Fairframe credentials CA")
    ca = (
        _builder(ca_name, ca_name, ca_key.public_key(), ca_key.public_key(), start, end)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(ca=True), critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    leaf = (
        _builder(_name(name, "Fairframe credentials"), ca_name, key.public_key(), ca_key.public_key(), start, end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(ca=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION, DOCUMENT_SIGNING]), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    ca_pem = ca.public_bytes(pem)
    return C2paIdentity(ca_pem, leaf.public_bytes(pem), private)


def _name(party: str, role: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, party),
            x509.NameAttribute(NameOID.COMMON_NAME, role),
        ]
    )


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public: ec.EllipticCurvePublicKey,
    issuer_public: ec.EllipticCurvePublicKey,
    start: datetime,
    end: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_public), critical=False)
    )


def _usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )
