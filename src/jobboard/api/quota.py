"""What a client may know of its limit."""


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
