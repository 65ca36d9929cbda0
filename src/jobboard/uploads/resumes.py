"""What we take as a résumé: PDF and DOCX, by extension and by content."""

import zipfile
from io import BytesIO
from pathlib import PurePosixPath, PureWindowsPath

from jobboard.errors import TooLarge, UnsupportedMedia

PDF = "application/pdf"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
MAX_UNPACKED = 50 * 1024 * 1024  # a DOCX is a zip: what it says it unpacks to
MAX_PARTS = 2000
MAX_FILENAME = 120


def media_type_of(filename: str, data: bytes) -> str:
    """PDF's or DOCX's media type. Raises UnsupportedMedia, or TooLarge for a zip bomb."""
    suffix = PurePosixPath(filename).suffix.lower()
    if suffix == ".pdf" and b"%PDF-" in data[:1024]:
        return PDF
    if suffix == ".docx" and data.startswith(b"PK\x03\x04"):
        _check_docx(data)
        return DOCX
    raise UnsupportedMedia("Send your résumé as a PDF or a Word file (.docx).")


def _check_docx(data: bytes) -> None:
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError):
        raise UnsupportedMedia("This Word file is damaged. Save it again, or as a PDF.") from None
    if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
        raise TooLarge("This Word file unpacks to too much. Save it as a PDF.")
    names = {part.filename for part in parts}
    if not {"[Content_Types].xml", "word/document.xml"} <= names:
        raise UnsupportedMedia("This is not a Word file (.docx).")
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        raise UnsupportedMedia("This Word file holds macros. Save it as a PDF.")


def clean_filename(raw: str | None) -> str:
    """The last part of what a browser sent, printable and not too long; never used as a path."""
    name = PureWindowsPath(PurePosixPath(raw or "").name).name
    printable = "".join(char for char in name if char.isprintable()).strip(" .")
    if len(printable) > MAX_FILENAME:
        suffix = PurePosixPath(printable).suffix[:10]
        printable = printable[: MAX_FILENAME - len(suffix)] + suffix
    return printable or "file"
