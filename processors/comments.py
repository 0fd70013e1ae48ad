"""Program text without its comments: CommentStripper."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Final, Literal

from transmissions import Processor, as_text, get_field, set_field

from .access import need_text

if TYPE_CHECKING:
    from transmissions import Message

# Each pattern finds what is kept as it stands, or else a comment. What is never closed reaches to the end of its line or of
# the text: so nothing has to be tried twice, and the time is in proportion to the length.
_DOUBLE: Final = r'"(?:\\.|[^"\\\n])*"?'
_SINGLE: Final = r"'(?:\\.|[^'\\\n])*'?"
_LONG: Final = r'"""(?:\\.|[^\\])*?(?:"""|\Z)' + r"|'''(?:\\.|[^\\])*?(?:'''|\Z)"
_BACKTICKS: Final = r"`(?:\\.|[^`\\])*`?"
_BLOCK: Final = r"/\*.*?(?:\*/|\Z)"
_RAW: Final = r'(?<![A-Za-z0-9_])r(?P<h>\#{1,9})".*?(?:"(?P=h)|\Z)'
_IN_CLASS: Final = r"\[(?:\\.|[^\]\\\n])*\]?"
_REGEX: Final = rf"(?:(?<=[(,=:\[!&|?{{}};\n])|\A)[ \t]*/(?![/*])(?:\\.|{_IN_CLASS}|[^/\\\[\n])*/?"

_PATTERNS: Final = {
    "c": (rf"{_RAW}|{_LONG}|{_DOUBLE}|{_SINGLE}", rf"//[^\n]*|{_BLOCK}"),
    "javascript": (rf"{_DOUBLE}|{_SINGLE}|{_BACKTICKS}|{_REGEX}", rf"//[^\n]*|{_BLOCK}"),
    "css": (rf"{_DOUBLE}|{_SINGLE}", _BLOCK),
    "python": (rf"\A\#![^\n]*|{_LONG}|{_DOUBLE}|{_SINGLE}", r"\#[^\n]*"),
    "shell": (r'\A\#![^\n]*|\\.|"(?:\\.|[^"\\])*"?' + r"|'[^']*'?|(?<=[^\s;&|(])\#", r"\#[^\n]*"),
    "yaml": (r'"(?:\\.|[^"\\])*"?' + r"|(?<![A-Za-z0-9])'[^']*'?|(?<=\S)\#", r"\#[^\n]*"),
    "toml": (rf"{_LONG}|{_DOUBLE}|'[^'\n]*'?", r"\#[^\n]*"),
    "turtle": (rf'<[^<>"{{}}|^`\\\s]*>|{_LONG}|{_DOUBLE}|{_SINGLE}', r"\#[^\n]*"),
    "sql": (r"'(?:''|[^'])*'?" + r'|"(?:""|[^"])*"?', rf"--[^\n]*|{_BLOCK}"),
    "html": (r"<(?P<e>script|style|textarea)\b.*?(?:</(?P=e)|\Z)|<!\[CDATA\[.*?(?:\]\]>|\Z)", r"<!--.*?(?:-->|\Z)"),
}
_ENDINGS: Final = {
    "c": ".c .h .cc .cpp .hpp .cs .java .kt .go .rs .swift .scala .dart .php .proto .scss .less",
    "javascript": ".js .mjs .cjs .jsx .ts .tsx .jsonc .json5",
    "css": ".css",
    "python": ".py .pyi",
    "shell": ".sh .bash .zsh .env",
    "yaml": ".yml .yaml",
    "toml": ".toml",
    "turtle": ".ttl .n3 .nt .nq .trig .rq .sparql .ru",
    "sql": ".sql",
    "html": ".html .htm .xhtml .xml .svg .vue .md",
}
_LANGUAGES: Final = {ending: language for language, endings in _ENDINGS.items() for ending in endings.split()}
_TOKENS: Final = {
    name: re.compile(f"(?P<kept>{kept})|(?P<comment>{comment})", re.DOTALL | re.IGNORECASE)
    for name, (kept, comment) in _PATTERNS.items()
}


class CommentStripper(Processor):
    """Take the comments out of program text.

    Reads the text at `inputField` and tells its language by the ending of the path at `pathField`; text in a language that is
    not known goes on as it is. What looks like a comment in a string is none, nor in a regular expression of JavaScript, an
    IRI of Turtle or a script of HTML. A line that held nothing else goes; a comment between other things leaves a blank. What
    is never closed reaches to the end of the text.

    ```turtle
    :strip a :CommentStripper ; :inputField "content" ; :language "javascript" .
    ```
    """

    language: Literal["auto", "c", "javascript", "css", "python", "shell", "yaml", "toml", "turtle", "sql", "html"] = "auto"
    "What the text is written in; `c` stands for all whose comments look like those of C."
    input_field: str = "content"
    "Dotted path of the text."
    output_field: str = ""
    "Dotted path the result is written to; where the text was if empty."
    path_field: str = "filepath"
    "Dotted path of the file's path."

    def process(self, message: Message) -> Message:
        """Strip the comments."""
        text = need_text(message, self.input_field)
        language = self.language if self.language != "auto" else language_of(as_text(get_field(message, self.path_field, "")))
        set_field(message, self.output_field or self.input_field, strip_comments(text, language) if language else text)
        return message


def language_of(path: str) -> str:
    """Return the language of a file by its name; empty if it is not known."""
    return _LANGUAGES.get(posixpath.splitext(path)[1].lower(), "")


def strip_comments(text: str, language: str) -> str:
    """Return a text without its comments."""
    mark = next(mark for mark in map(chr, range(0xF0000, 0xFFFFE)) if mark not in text)
    marked = _TOKENS[language].sub(lambda found: found["kept"] if found["comment"] is None else mark, text)
    if mark not in marked:
        return text
    alone = re.sub(rf"^[ \t]*+{mark}[ \t{mark}]*+(?:\r?\n|\Z)", "", marked, flags=re.MULTILINE)
    ended = re.sub(rf"(?<![ \t])[ \t]*+{mark}[ \t{mark}]*+(?=\r?$)", "", alone, flags=re.MULTILINE)
    return re.sub(f"{mark}+", " ", ended)
