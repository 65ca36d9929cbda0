"""A résumé of one page as a PDF, written by hand: five objects and a table of where they begin."""

FONT = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"
TOP, LEFT, LEADING, SIZE = 780, 64, 20, 12  # points


def pdf(lines: list[str]) -> bytes:
    """Lines of Latin text (Windows-1252) on an A4 page; the first one is large.

    Structure: ISO 32000-1, section 7.5 (header, body, cross-reference table, trailer).
    """
    text = _text(lines)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(text), text),
        FONT.encode(),
    ]
    out, starts = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(objects, 1):
        starts.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % start for start in starts)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\n" % (len(objects) + 1)
    return bytes(out + b"startxref\n%d\n%%%%EOF\n" % table)


def _text(lines: list[str]) -> bytes:
    parts = [f"BT /F1 {2 * SIZE} Tf {LEFT} {TOP} Td {LEADING} TL".encode()]
    for number, line in enumerate(lines):
        if number == 1:
            parts.append(f"/F1 {SIZE} Tf T*".encode())
        parts.append(b"(%b) Tj T*" % _escaped(line))
    return b"\n".join([*parts, b"ET"])


def _escaped(line: str) -> bytes:
    raw = line.encode("cp1252", "replace")
    return raw.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
