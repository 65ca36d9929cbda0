"""What a client may know of its limit."""

from jobboard.errors import RateLimited


def quota_headers(
    name: str, amount: int, window: int, *, left: int, seconds: int
) -> dict[str, str]:
    """The headers for `amount` requests in `window` seconds; `seconds` until more is allowed."""
    return {
        "RateLimit-Policy": f'"{name}";q={amount};w={window}',
        "RateLimit": f'"{name}";r={left};t={seconds}',
        "RateLimit-Limit": str(amount),
        "RateLimit-Remaining": str(left),
        "RateLimit-Reset": str(seconds),
    }


def refusal_headers(error: RateLimited) -> dict[str, str]:
    """When to come back, and the limit that refused: not that of the request's class, which let it
    pass."""
    headers = {"Retry-After": str(error.retry_after)}
    if error.limit:
        headers |= quota_headers(*error.limit, left=0, seconds=error.retry_after)
    return headers
