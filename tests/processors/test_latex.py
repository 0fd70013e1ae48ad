import pytest

from transmissions.processors.code_apart import outside_code
from transmissions.processors.latex import to_dollars

CASES = [
    (r"a \(x^2\) b", "a $x^2$ b"),
    (r"a \( x \) b", "a $x$ b"),
    (r"\[ a\\[2pt] b \]", r"$$ a\\[2pt] b $$"),
    ("\\[\nx\n\\]", "$$\nx\n$$"),
    ("$x^2$ and $$y$$", "$x^2$ and $$y$$"),
    ("$5 and $6", r"\$5 and \$6"),
    ("costs $5", r"costs \$5"),
    ("$5-$6, US$7", r"\$5-\$6, US\$7"),
    ("$5 (or 6$)", r"\$5 (or 6\$)"),
    ("$1,000 to $2,000 or $x_1$", r"\$1,000 to \$2,000 or $x_1$"),
    ("$2x$, $10$, $5 = x$", "$2x$, $10$, $5 = x$"),
    (r"already \$5", r"already \$5"),
    (r"\(open, $5", r"\(open, \$5"),
    ("\\(a\n\nb\\)", "\\(a\n\nb\\)"),
    (r"\\(no\\)", r"\\(no\\)"),
    (r"\(cost $5\)", r"$cost \$5$"),
    ("a $ b $ c", r"a \$ b \$ c"),
    ("$$ $$ $$", "$$ $$ $$"),
    (r"`\(x\)` $5", r"`\(x\)` \$5"),
    ("```\n\\(x\\) $5\n```\n$5", "```\n\\(x\\) $5\n```\n\\$5"),
    ("no formula", "no formula"),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_formulas_get_dollars_and_prices_keep_theirs(text, expected):
    """LaTeX delimiters become dollars, dollars that are money are escaped, and code stays as it is."""
    assert to_dollars(text) == expected


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_what_is_converted_stays_as_it_is(text, expected):
    """Converted a second time, a text does not change."""
    assert to_dollars(expected) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a `b` c", "A `b` C"),
        ("a ``b`c`` d", "A ``b`c`` D"),
        ("a `b", "A `B"),
        ("`a\n\nb`", "`A\n\nB`"),
        (r"a \`b` c `d`", r"A \`B` c `D`"),
        ("~~~\na\n~~~\nb", "~~~\na\n~~~\nB"),
        ("> ```\n> a\n\nb", "> ```\n> a\n\nB"),
        ("```\nnever closed", "```\nnever closed"),
    ],
)
def test_code_is_told_from_text(text, expected):
    """Code blocks and spans are found as a reader of Markdown finds them."""
    assert outside_code(text, str.upper) == expected
