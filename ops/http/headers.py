"""Security headers of every answer, made once at the start."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from ops.settings import Settings

HSTS_S = 31_536_000


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def content_security_policy(live_urls: Iterable[str]) -> str:
    """The policy of all pages: own files only, sockets to the live address.

    `wasm-unsafe-eval` is for the QR reader in the handheld's worker. No inline
    script and no inline style; pictures may come from the camera (blob, data).
    """
    live = " ".join(sorted({_origin(url) for url in live_urls}))
    return "; ".join(
        (
            "default-src 'self'",
            "script-src 'self' 'wasm-unsafe-eval'",
            "style-src 'self'",
            "img-src 'self' data: blob:",
            "media-src 'self' blob:",
            "worker-src 'self'",
            f"connect-src 'self' {live}",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


def _live_urls(settings: Settings) -> list[str]:
    """The live address, and its loopback spellings while there is no public one."""
    url = settings.live_url
    if settings.public_url:
        return [url]
    scheme = urlsplit(url).scheme
    hosts = ("localhost", "127.0.0.1")
    return [url, *(f"{scheme}://{host}:{settings.live_port}" for host in hosts)]


def security_headers(settings: Settings) -> list[tuple[bytes, bytes]]:
    """Header lines for every answer of the api role."""
    headers = {
        "content-security-policy": content_security_policy(_live_urls(settings)),
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "camera=(self), microphone=(), geolocation=()",
    }
    if settings.base_url.startswith("https://"):
        headers["strict-transport-security"] = f"max-age={HSTS_S}"
    return [(name.encode(), value.encode()) for name, value in headers.items()]
