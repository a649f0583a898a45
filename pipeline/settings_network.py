"""What can be set of the network: addresses, ports, STUN and TURN."""

from ipaddress import ip_address
from typing import Annotated

from pydantic import AfterValidator, SecretStr
from pydantic_settings import BaseSettings

from pipeline.ice_servers import parse_ice_servers, parse_turn_urls
from pipeline.turn_services import TurnService
from pipeline.variables import parts, variable


def _all_addresses(value: str) -> str:
    for address in value.split(","):
        ip_address(address.strip())
    return value


def _all_ice_servers(value: SecretStr) -> SecretStr:
    parse_ice_servers(value.get_secret_value())
    return value


def _all_turn_urls(value: str) -> str:
    parse_turn_urls(value)
    return value


def _port_range(value: str) -> str:
    first, last = (int(port) for port in value.split("-"))
    if not 1024 <= first <= last <= 65535:
        raise ValueError("no range of ports")
    return value


def _one_of_each_version(value: str) -> str:
    versions = [ip_address(address.strip()).version for address in value.split(",")]
    if len(versions) != len(set(versions)):
        raise ValueError("one address of each version")
    return value


class NetworkSettings(BaseSettings):
    """The network's part of `Settings`."""

    ice_addresses: Annotated[str, AfterValidator(_all_addresses)] | None = variable(
        "SALON_ICE_ADDRESSES",
        None,
        "IP addresses of this machine, with commas between them",
        "192.168.1.20",
    )
    ice_servers: Annotated[SecretStr, AfterValidator(_all_ice_servers)] | None = variable(
        "PIPECAT_ICE_SERVERS",
        None,
        "STUN servers with commas between them, or STUN and TURN servers as JSON, "
        "each of TURN with username and credential",
        "stun:stun.example.com:3478",
    )
    ice_ports: Annotated[str, AfterValidator(_port_range)] | None = variable(
        "SALON_ICE_PORTS", None, "a range of UDP ports from 1024 to 65535", "40000-40100"
    )
    public_address: Annotated[str, AfterValidator(_one_of_each_version)] | None = variable(
        "SALON_PUBLIC_ADDRESS",
        None,
        "the IP address under which others reach this machine, or one of IPv4 and one of IPv6 "
        "with a comma between them",
        "203.0.113.7",
    )
    turn_urls: Annotated[str, AfterValidator(_all_turn_urls)] | None = variable(
        "SALON_TURN_URLS",
        None,
        "TURN servers with commas between them",
        "turn:turn.example.com:3478,turns:turn.example.com:443?transport=tcp",
    )
    turn_secret: SecretStr | None = variable(
        "SALON_TURN_SECRET", None, "the static-auth-secret of the TURN servers", "0123abcd..."
    )
    turn_ttl_s: int = variable(
        "SALON_TURN_TTL_S", 3600, "a number of seconds from 60 to 86400", "3600", ge=60, le=86400
    )
    turn_service: TurnService | None = variable(
        "SALON_TURN_SERVICE", None, "twilio or cloudflare", "cloudflare"
    )
    turn_service_url: str | None = variable(
        "SALON_TURN_SERVICE_URL",
        None,
        "the https:// address of the TURN service's API, or a http:// one on this machine",
        "https://api.twilio.com",
        pattern=r"^(https://[^/\s]+|http://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?)$",
    )
    cloudflare_turn_key_id: str | None = variable(
        "CLOUDFLARE_TURN_KEY_ID", None, "the ID of a Cloudflare TURN key", "0123abcd..."
    )
    cloudflare_turn_api_token: SecretStr | None = variable(
        "CLOUDFLARE_TURN_API_TOKEN", None, "the API token of the TURN key", "0123abcd..."
    )

    @property
    def ice_address_list(self) -> list[str]:
        """The addresses of `SALON_ICE_ADDRESSES`; empty when any of the machine's may be used."""
        return parts(self.ice_addresses)

    @property
    def public_address_list(self) -> list[str]:
        """The addresses of `SALON_PUBLIC_ADDRESS`: at most one of each version."""
        return parts(self.public_address)

    @property
    def ice_port_range(self) -> range | None:
        """The UDP ports of `SALON_ICE_PORTS`; None: any that the system gives."""
        if self.ice_ports is None:
            return None
        first, last = self.ice_ports.split("-")
        return range(int(first), int(last) + 1)
