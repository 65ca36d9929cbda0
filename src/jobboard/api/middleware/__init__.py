"""What surrounds every request, in pure ASGI, from the outside in.

Identify   client address behind our own proxies, request id
Observe    one log line, metrics, and a hit for MongoDB
Headers    security headers
(gzip)     Starlette's
Guard      bodies that are too large, addresses that hold a NUL byte
Crashes    an exception that nobody handled becomes a 500 without a word of its insides
"""

from jobboard.api.middleware.crashes import Crashes
from jobboard.api.middleware.guard import Guard
from jobboard.api.middleware.headers import Headers
from jobboard.api.middleware.identify import Identify, Proxies
from jobboard.api.middleware.observe import Observe

__all__ = ["Crashes", "Guard", "Headers", "Identify", "Observe", "Proxies"]
