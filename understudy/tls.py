"""A certificate for this run: google-genai speaks TLS whatever base URL it is given."""

from __future__ import annotations

import ssl
from pathlib import Path

import trustme

NAMES = ("localhost", "127.0.0.1", "::1")


def serve_with_new_certificate(directory: Path, *, host: str) -> tuple[ssl.SSLContext, Path]:
    """Makes a certificate authority and a server certificate.

    The keys never stay on disk: `ssl` can only load one from a file, which trustme creates
    readable by its owner alone and deletes at once.

    Args:
        directory: Where `cert.pem`, the authority's certificate, is written.
        host: The address listened at, which the certificate covers besides `NAMES`.

    Returns:
        The server's context, and the file that clients are to trust.

    Raises:
        OSError: The directory can't be written.
    """
    authority = trustme.CA(organization_name="understudy")
    extra = () if host in (*NAMES, "", "0.0.0.0", "::") else (host,)
    certificate = authority.issue_cert(*NAMES, *extra)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / "cert.pem"
    authority.cert_pem.write_to_path(str(path))
    return context, path
