"""Whether a server may listen where it is told to. Pure."""

from ipaddress import ip_address

from pipeline.settings import Settings, SettingsError


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a host; a name other than `localhost` may be anything."""
    try:
        ip = ip_address(host.strip("[]"))
    except ValueError:
        return host.lower() == "localhost"
    return (getattr(ip, "ipv4_mapped", None) or ip).is_loopback


def needs_credentials(settings: Settings) -> bool:
    """Whether whoever starts a call has to say who that is."""
    return bool(settings.api_keys or settings.oidc_issuer)


def check_access(host: str, settings: Settings) -> None:
    """Refuse to listen where strangers could start calls.

    Args:
        host: The address or name that the server is to listen on.
        settings: What is set.

    Raises:
        SettingsError: With one sentence that says what to set.
    """
    if bool(settings.oidc_issuer) != bool(settings.oidc_audience):
        missing = "SALON_OIDC_AUDIENCE" if settings.oidc_issuer else "SALON_OIDC_ISSUER"
        raise SettingsError(
            f"{missing} must be set too: a token counts only when it is from this issuer "
            "and for this audience"
        )
    if is_loopback(host) or needs_credentials(settings) or settings.open_to_network:
        return
    raise SettingsError(
        f"others can reach {host or 'every address'}, and whoever starts a call spends your money: "
        "set SALON_API_KEYS=name:key, or SALON_OIDC_ISSUER and SALON_OIDC_AUDIENCE, "
        "or SALON_OPEN_TO_NETWORK=true where you trust everybody who can"
    )
