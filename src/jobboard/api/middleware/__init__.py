"""What surrounds every request, in pure ASGI, from the outside in.

Identify   client address behind our own proxies, request id
Observe    one log line, metrics, and a hit for MongoDB
Headers    security headers, and what was found out on the way: what is left of the rate limit
Acquaint   whose credential it was
Head       HEAD is answered as GET, without the body
Hosts      in production, requests that were not meant for this board
Compress   gzip, and the ETag of what is compressed
Guard      bodies that are too large, addresses that hold a NUL byte
Crashes    an exception that nobody handled becomes a 500 without a word of its insides
"""

from jobboard.api.middleware.acquaint import Acquaint
from jobboard.api.middleware.compress import Compress
from jobboard.api.middleware.crashes import Crashes
from jobboard.api.middleware.guard import Guard
from jobboard.api.middleware.head import Head
from jobboard.api.middleware.headers import Headers
from jobboard.api.middleware.hosts import Hosts
from jobboard.api.middleware.identify import Identify, Proxies
from jobboard.api.middleware.observe import Observe

__all__ = [
    "Acquaint",
    "Compress",
    "Crashes",
    "Guard",
    "Head",
    "Headers",
    "Hosts",
    "Identify",
    "Observe",
    "Proxies",
]
