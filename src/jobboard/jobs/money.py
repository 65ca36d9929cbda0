"""Currencies as ads write them: signs, codes, and amounts in minor units."""

from decimal import ROUND_HALF_UP, Decimal

from jobboard.infra.currencies import currency_code, exponent

SIGNS = {
    "€": "EUR", "£": "GBP", "₹": "INR", "₽": "RUB", "₺": "TRY", "₪": "ILS", "₩": "KRW",
    "₱": "PHP", "฿": "THB", "₫": "VND", "₦": "NGN", "₴": "UAH", "₸": "KZT", "₡": "CRC",
    "¥": "JPY", "zł": "PLN", "Kč": "CZK", "Ft": "HUF", "lei": "RON", "R$": "BRL",
    "US$": "USD", "U$S": "USD", "CA$": "CAD", "C$": "CAD", "CDN$": "CAD", "A$": "AUD",
    "AU$": "AUD", "NZ$": "NZD", "HK$": "HKD", "S$": "SGD", "SG$": "SGD", "NT$": "TWD",
    "MX$": "MXN", "RM": "MYR", "Rs": "INR", "Rs.": "INR", "RMB": "CNY", "Fr.": "CHF",
    "SFr.": "CHF", "AED": "AED", "Dhs": "AED",
    "euro": "EUR", "euros": "EUR", "pounds": "GBP", "rupees": "INR", "złotych": "PLN",
}  # fmt: skip
# Signs that several countries share: by country, and what a stranger to them all means.
SHARED_SIGNS = {
    "$": (
        {
            "CA": "CAD", "AU": "AUD", "NZ": "NZD", "SG": "SGD", "HK": "HKD", "TW": "TWD",
            "MX": "MXN", "AR": "ARS", "CL": "CLP", "CO": "COP", "UY": "UYU", "JM": "JMD",
            "TT": "TTD", "BS": "BSD", "BB": "BBD", "BZ": "BZD", "FJ": "FJD", "NA": "NAD",
            "DO": "DOP",
        },
        "USD",
    ),
    "kr": ({"SE": "SEK", "NO": "NOK", "DK": "DKK", "IS": "ISK"}, None),
    "¥": ({"CN": "CNY"}, "JPY"),
}  # fmt: skip
SHARED_SIGNS["dollars"] = SHARED_SIGNS["$"]


def minor_units(amount: Decimal, currency: str | None) -> int:
    """The amount in the currency's smallest unit; two digits where no currency is known."""
    return int(amount.scaleb(exponent(currency)).to_integral_value(ROUND_HALF_UP))


def currency_of(sign: str, country: str | None) -> str | None:
    """The currency that a sign or code means in an ad from `country` (ISO 3166-1 alpha-2)."""
    if sign in SHARED_SIGNS or sign.lower() in SHARED_SIGNS:
        by_country, elsewhere = SHARED_SIGNS.get(sign) or SHARED_SIGNS[sign.lower()]
        return by_country.get(country or "", elsewhere)
    code = SIGNS.get(sign) or SIGNS.get(sign.lower()) or sign.upper()
    try:
        return currency_code(code)
    except ValueError:
        return None
