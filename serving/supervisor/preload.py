"""What the forkserver loads once, so that every session's process begins with it.

A fresh process takes 6 s to import Pipecat and the SDK and has 95 MB of its own; a fork of one that
has done so begins in milliseconds and shares that memory. Importing this module does the loading:
multiprocessing's forkserver knows modules only. Nothing here may start a thread, which would not be
there in the fork.
"""

import asyncio
import gc

from pipeline.settings import load_settings
from pipeline.tracing import prepare_tracing
from serving.logs import log_to_stderr

_SETTINGS = load_settings()
log_to_stderr(_SETTINGS)
prepare_tracing()  # before anything of Pipecat is imported

import uvloop  # noqa: F401

import serving.supervisor.inside  # noqa: F401
from pipeline.transports import TRANSPORT_PARAMS
from pipeline.warm_up import warm_up
from serving.ice import use_network
from serving.supervisor.rehearsal import rehearse

for way_in in ("webrtc", "websocket", *(["daily"] if _SETTINGS.daily_api_key else [])):
    TRANSPORT_PARAMS[way_in]()
warm_up()
asyncio.run(rehearse())
use_network(_SETTINGS)  # after the rehearsal, which would take ports that calls may need
gc.collect()
gc.freeze()
