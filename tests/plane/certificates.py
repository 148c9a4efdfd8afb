"""Make the keys and certificates of a plane: short-lived, for loopback only.

No I/O here: everything is given back as PEM.
"""

import datetime
import ipaddress

import attrs
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

_LIFE = datetime.timedelta(days=30)


@attrs.frozen
class Pair:
    """A private key and what belongs to it, both PEM."""

    key: bytes
    certificate: bytes


def private_key() -> bytes:
    """A new P-256 key, as PEM; also good for signing service-account tokens."""
    return _pem(ec.generate_private_key(ec.SECP256R1()))


def authority(name: str) -> Pair:
    """A new certificate authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name(name)
    builder = (
        _builder(subject, subject, key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(authority=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return Pair(_pem(key), builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))


def server(issuer: Pair) -> Pair:
    """A server's certificate for localhost, 127.0.0.1 and the first address of the service range."""
    names: list[x509.GeneralName] = [x509.DNSName("localhost"), x509.DNSName("kubernetes.default.svc")]
    names += [x509.IPAddress(ipaddress.ip_address(address)) for address in ("127.0.0.1", "10.0.0.1")]
    return _issued(issuer, "kube-apiserver", ExtendedKeyUsageOID.SERVER_AUTH, x509.SubjectAlternativeName(names))


def client(issuer: Pair, name: str) -> Pair:
    """A client's certificate; a server that trusts the issuer knows the client as `name`."""
    return _issued(issuer, name, ExtendedKeyUsageOID.CLIENT_AUTH)


def _issued(issuer: Pair, name: str, purpose: x509.ObjectIdentifier, *more: x509.ExtensionType) -> Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    issuer_key = serialization.load_pem_private_key(issuer.key, None)
    issuer_certificate = x509.load_pem_x509_certificate(issuer.certificate)
    assert isinstance(issuer_key, ec.EllipticCurvePrivateKey)
    builder = (
        _builder(_name(name), issuer_certificate.subject, key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        # Python 3.13 refuses a certificate without it.
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    for extension in more:
        builder = builder.add_extension(extension, critical=False)
    return Pair(_pem(key), builder.sign(issuer_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)  # noqa: TID251 - a certificate's life starts at the real time
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + _LIFE)
    )


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, text)])


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
