"""The API keys of a server: who has which. Pure."""

import hashlib
import hmac

from pipeline.settings import Settings


class ApiKeys:
    """Knows keys by their hash: comparing hashes tells nothing about a key by the time it takes."""

    def __init__(self, settings: Settings):
        self._names = {
            hashlib.sha256(key.get_secret_value().encode()).digest(): name
            for name, key in settings.api_key_list
        }

    def name(self, key: str) -> str | None:
        """Whose key it is; None: nobody's. Every key is compared, whichever fits."""
        given = hashlib.sha256(key.encode("utf-8", "replace")).digest()
        found = None
        for digest, name in self._names.items():
            if hmac.compare_digest(digest, given):
                found = name
        return found
