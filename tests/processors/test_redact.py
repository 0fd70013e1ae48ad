"""RedactSecrets: what is taken out, what stays, and that neither files nor letters keep anything."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from transmissions import Processor, RunError, UsageError
from transmissions.processors.finds import KINDS
from transmissions.processors.redact import CleanMessages, RedactSecrets
from transmissions.processors.redactor import Redactor
from transmissions.processors.spool import Mapped, Spool, SpooledList, pieces
from transmissions.testing import bench as run_of
from transmissions.testing import through

ROOT = Path(__file__).resolve().parents[2]
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
BODY = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcw\nggSjAgEAAoIBAQC7VJTUt9Us8cKj\nMSgWoN"
PEM = f"-----BEGIN RSA PRIVATE KEY-----\n{BODY}\n-----END RSA PRIVATE KEY-----"
SECRETS = {
    "sk-ant-api03-AbCdEfGhIjKlMnOpQrStUvWxYz0123456789": "anthropic",
    "sk-proj-abcDEF1234567890abcDEF1234567890": "openai",
    "sk-abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKL": "openai",
    "AKIAIOSFODNN7EXAMPLE": "aws",
    "ghp_abcdefghijklmnopqrstuvwxyzABCDEF0123": "github",
    "github_pat_11ABCDEFG0123456789_abcdefghijklmnop": "github",
    "glpat-AbCdEf1234567890abcd": "gitlab",
    "xoxb-123456789012-123456789012-abcdefABCDEF": "slack",
    "sk_live_abcdefghij1234567890ABCD": "stripe",
    "rk_live_abcdefghij1234567890ABCD": "stripe",
    "AIzaSyA-1234567890abcdefghijklmnopqrstu": "google",
    "hf_abcdefghijklmnopqrstuvwxyzABCDEFGH": "huggingface",
    "npm_abcdefghijklmnopqrstuvwxyz0123456789": "npm",
    "pypi-AgEIcHlwaS5vcmcCJDAxMjM0NTY3LTg5YWItY2RlZg": "pypi",
    JWT: "jwt",
    PEM: "privateKey",
    "ada.lovelace@analytical.example": "email",
    "jürgen@firma.de": "email",
}
BEHIND = [
    ("https://x.org/?to=", "ada%40analytical.example", "&y=1", "email"),
    ("https://x.org/open?file=%2Fhome%2F", "alice", "%2Fwork", "home"),
    ("file%3A%2F%2F%2FC%3A%5CUsers%5C", "carol%20smith", "%5CDocuments", "home"),
    ("key ", "gsk_abcdefghijklmnop1234567890ABCDEF", "", "credential"),
    ("key ", "xai-abcdefghijklmnop1234567890ABCDEF", "", "credential"),
    ("see https://", "joe:hunter22", "@example.org/x", "url"),
    ("postgres://", "admin:S3cr3t", "@db.example.org/x", "url"),
    ("Authorization: Bearer ", "abc123def456ghi", "", "credential"),
    ('password = "', "hunter2", '"', "credential"),
    ("DB_PASSWORD=", "hunter2", "\n", "credential"),
    ('\\"api_key\\": \\"', "a1b2c3d4e5f6", '\\"', "credential"),
    ("mysql --password=", "Tr0ub4dor", " -u x", "credential"),
    ("curl -s -u admin:", "Passw0rd99x", " https://x.org", "credential"),
    ('{"command": "curl --user \\"joe:', "s3cret!7", '\\" x"}', "credential"),
    ("https://x.org/?user=a&token=", "a1b2c3d4e5f6", "&z=1", "credential"),
    ("aws_secret_access_key = ", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "", "aws"),
    ("<password>", "hunter2", "</password>", "credential"),
    ("in /home/", "alice", "/work", "home"),
    ("in /Users/", "bob", "/work", "home"),
    ("in C:\\Users\\", "Carol Smith", "\\Documents", "home"),
    ('"C:\\\\Users\\\\', "dave", '\\\\x"', "home"),
    ("~/.claude/projects/-home-", "alice", "-work", "home"),
]
CODE = """| token | string | required |   cat password | base64 -d   mysql -port 3306   docker login -p $PASSWORD
the API key is required  https://x.org/?key=my-page-about-keys&t=2026-03-07T12:00:00  fields = ["password", "email"]
Basic training for machine learning; login and password of user; secret_manager_service_account_name_2  test_000001
toolu_01AbCdEfGhIjKlMnOpQrStUv  msg_01AbCdEfGhIjKlMnOpQrStUv  chatcmpl-AbCdEfGhIjKlMnOpQrStUv12  file-AbCdEfGhIjKlMnOpQrSt
commit 0a1b2c3d4e5f60718293a4b5c6d7e8f90f1e2d3c  key-frames-in-animations-1234567890  Cookie: consent=accepted; lang=en
--Users-of-the-library  @media(x)  auth: "required"  define('DEBUG_KEY', KEY)  password: "this is what you have to type"
password = getpass()
token = os.environ["X"]
{"token": null, "key": "value1", "type": "password"}
def login(user, password: str = "", token: Optional[str] = None) -> None:
secret = config.secret; token = tokens[0]; max_tokens: 4096
@pytest.mark.parametrize  git@github.com:org/repo.git  user@localhost  react@18.2.0  y = x@self.weight.T
PASSWORD=$DB_PASS  password: ${DB_PASSWORD}  sk-toggleable__label-arrow  https://example.com/home/index.html
token: Сообщений и архив.  password: 👩‍👩‍👧
curl -u user:password https://x.org  curl -u "$USER:$TOKEN" x  docker run -u 1000:1000 x  curl --user name:<token> x
autocomplete="current-password"  icon@2x.png  hf_hub_download("x")  ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
if text.startswith("-----BEGIN PRIVATE KEY-----"): parse(text)  # … "-----END PRIVATE KEY-----"
"""


MIXED = "aB3dE5fG7hJ9kL2mN4pQ6rS8tU1vW3xY5zA7bC9dE2fG4hJ6kL8mN1pQ3rS5tU7vW9xY2zA4bC6dE8fG1hJ3kL5mN7pQ9rS2tU4vW6xY8z"
HEX = "0a1b2c3d4e5f60718293a4b5c6d7e8f90f1e2d3c4b5a69788796a5b4c3d2e1f0"
UUID = "0a1b2c3d-4e5f-4071-8293-a4b5c6d7e8f9"
SERVICES = [
    *(f"SG.{MIXED[:22]}.{MIXED[:43]}", f"doo_v1_{HEX}", f"lin_api_{MIXED[:40]}", f"secret_{MIXED[:43]}", f"ntn_{MIXED[:46]}"),
    *(f"pat{MIXED[:14]}.{HEX}", f"SK{HEX[:32]}", f"key-{HEX[:32]}", f"{HEX[:32]}-us12", f"sq0atp-{MIXED[:22]}"),
    *(f"EAAA{MIXED[:60]}", f"123456789:AA{MIXED[:33]}", f"MTA{MIXED[:23]}.{MIXED[:6]}.{MIXED[:38]}", f"hvs.{MIXED[:90]}"),
    *(f"dapi{HEX[:32]}", f"pscale_pw_{MIXED[:43]}", f"sbp_{HEX[:40]}", f"sb_secret_{MIXED[:31]}", f"shpss_{HEX[:32]}"),
    *(
        f"figd_{MIXED[:40]}",
        f"PMAK-{HEX[:24]}-{HEX[:34]}",
        f"NRAK-{MIXED[:27].upper()}",
        f"dp.pt.{MIXED[:43]}",
        f"ya29.{MIXED}",
    ),
    *(f"AGE-SECRET-KEY-1{MIXED[:58].upper()}", f"dckr_pat_{MIXED[:27]}", f"1//0{MIXED[:60]}"),
    *(
        f"tgp_v1_{MIXED[:43]}",
        f"sk_{HEX[:48]}",
        f"nvapi-{MIXED[:64]}",
        f"csk-{HEX[:48]}",
        f"pcsk_{MIXED[:60]}",
        f"sk-lf-{UUID}",
    ),
    *(f"lsv2_pt_{HEX[:32]}_{HEX[:10]}", f"pa-{MIXED[:43]}", f"fc-{HEX[:32]}", f"jina_{MIXED[:60]}", f"apify_api_{MIXED[:36]}"),
    *(f"sntryu_{HEX}", f"glc_{MIXED[:60]}", f"pul-{HEX[:40]}", f"HRKU-{UUID}", f"vcp_{MIXED[:56]}", f"nfp_{MIXED[:36]}"),
    *(
        f"rubygems_{HEX[:48]}",
        f"cio{MIXED[:32]}",
        f"access-sandbox-{UUID}",
    ),
    *(f"ATATT3xFfGF0{MIXED}", f"ATBB{MIXED[:32]}", f"pat-na1-{UUID}", f"CFPAT-{MIXED[:43]}", f"xkeysib-{HEX}-{MIXED[:16]}"),
    *(f"re_aB3dE5fG_{MIXED[:24]}", f"tskey-auth-{MIXED[:12]}-{MIXED[:32]}", f"GR1348941{MIXED[:20]}", f"ABSK{MIXED}+{MIXED}=="),
    *(f"v1.{HEX[:40]}", f"glptt-{HEX[:40]}", f"fm2_{MIXED[:40]}/{MIXED[:20]}+x=", f"sl.{MIXED}", f"shpca_{HEX[:32]}"),
]
"""Keys of other services, in the forms they give them."""
TOLD = [
    *(f"https://hooks.slack.com/services/<T0ABCDEF1/B0ABCDEF1/{MIXED[:24]}>", "sshpass -p '<hunter2x>' ssh x"),
    *(f"https://discord.com/api/webhooks/123456789012345678/<{MIXED[:68]}>", "docker login -u joe -p <hunter2x>"),
    *(f"https://x.blob.core.windows.net/c?sv=2022-11-02&sig=<{MIXED[:40]}%3D>", "mysql -u root -p<Hunter2x9> db"),
    *(f"https://s3.x.org/k?X-Amz-Date=1&X-Amz-Signature=<{HEX}>&x=1", "curl \\\n -u joe:<hunter2x> https://x.org"),
    *(f"https%3A%2F%2Fx.org%2Fa%3Ftoken%3D<{MIXED[:30]}>%26b%3D1", "machine x.org login bob password <hunter2x>"),
    *(f"Cookie: theme=dark; sessionid=<{MIXED[:32]}>; a=b", '-H "Authorization: Basic <dXNlcjpwYXNzMTIz>"'),
    *('{"auth": "<dXNlcjpwYXNzd29yZDEyMw==>"}', f"ENV API_KEY <{MIXED[:30]}>", f'setx OPENAI_API_KEY "<{MIXED[:30]}>"'),
    *(
        "define('DB_PASSWORD', '<hunter2x>');",
        'ConvertTo-SecureString "<Hunter2x!>" -AsPlainText',
        "-Djavax.keyStorePassword=<changeit9>",
    ),
    *(f"SECRET_KEY_BASE=<{HEX}>", f"APP_KEY=<base64:{MIXED[:43]}=>", f"client-key-data: <LS0tLS1CRUdJTi{MIXED[:40]}>"),
    *(
        f"Ocp-Apim-Subscription-Key: <{HEX[:32]}>",
        "**Password:** `<hunter2x>`",
        f"- **API Key**: <{MIXED[:32]}>",
        "| password | <hunter2x> |",
    ),
    *("Mot de passe : <hunter2x>", "contraseña: <hunter2x>", "пароль: <hunter2x>", "密码\uff1a<hunter2x>", 'psk="<hunter2x9>"'),
    *(
        f"the API key is <{MIXED[:32]}>",
        'smtp_password: "<abcd efgh ijkl mnop>"',
        "jdbc:oracle:thin:scott/<t1ger99>@//h:1521/x",
    ),
    *(
        'mnemonic: "<legal winner thank year wave sausage worth useful legal winner thank yellow>"',
        f"abc8<Q~{MIXED[:34]}>",
    ),
    *(
        "C:\\Documents and Settings\\<renata>\\x",
        "\\\\wsl$\\Ubuntu\\home\\<renata>\\x",
        "\\\\server\\Users\\<renata>\\x",
        "C--Users-<renata>-work",
    ),
    *("/cygdrive/c/Users/<renata>/p", "/Volumes/Macintosh HD/Users/<renata>/p", "vscode-remote://wsl+ubuntu/home/<renata>/p"),
    *("<ann&#64;firma.example>", "<ann\\u0040firma.example>", f"access_token<$production$a1b2c3d4e5f6a7b8${HEX[:32]}>"),
    *(
        f"Private-Lines: 2<\n{MIXED[:64]}\n{MIXED[:40]}>\nPrivate-MAC: 8d8b",
        f'{{"kty": "RSA", "e": "AQAB", "d": "<{MIXED[:86]}>"}}',
    ),
    f"<-----BEGIN OpenVPN Static key V1-----\n{HEX[:32]}\n{HEX[:32]}\n-----END OpenVPN Static key V1----->",
    f"<---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nComment: x\n{MIXED[:64]}\n---- END SSH2 ENCRYPTED PRIVATE KEY ---->",
]
"""What a command, a header, an address, a table or a file of keys tells to be a secret: it is put in angle brackets here."""


def chat(*blocks, **more):
    """Return a conversation with one message."""
    message = {"id": "m1", "role": "human", "created": "", "blocks": list(blocks), "attachments": [], "files": []}
    counts = {"messages": 1, "attachments": 0, "files": 0, "blocks": {"text": len(blocks)}}
    about = {"provider": "claude", "id": "c1", "title": "", "messages": [message], "counts": counts, "leaf": "m1"}
    return {**about, "created": "", "updated": "", "url": "", "summary": "", "model": "", **more}


def text(words):
    """Return a block of text."""
    return {"kind": "text", "text": words, "citations": (), "sources": ("text",)}


def redacted(conversation, **settings):
    """Return the message that a conversation becomes."""
    (message,) = through(RedactSecrets(**{"mode": "mark", **settings}), [{"conversation": conversation}])
    return message


@pytest.mark.parametrize(("secret", "kind"), SECRETS.items(), ids=range(len(SECRETS)))
@pytest.mark.parametrize(
    "around", ["{}", "it is {}.", "(`{}`)", '{{"a": "{}"}}', "zeile\\n{}\\nmehr", "KEY={}\n", "größe {} 数据", "{}.txt"]
)
def test_a_secret_is_replaced_wherever_it_stands(secret, kind, around):
    """Every kind is found at the edges of a text, among words and signs, and behind an escaped line break."""
    message = redacted(chat(text(around.format(secret))))
    (block,) = message["conversation"]["messages"][0]["blocks"]
    assert block["text"] == around.format(f"[redacted:{kind}]")
    assert message["redacted"] == {kind: 1}


@pytest.mark.parametrize(("before", "secret", "behind", "kind"), BEHIND, ids=range(len(BEHIND)))
def test_what_stands_before_a_value_tells_a_credential(before, secret, behind, kind):
    """Passwords, keys without a form and names in paths are replaced, and nothing around them."""
    message = redacted(chat(text(before + secret + behind)))
    assert message["conversation"]["messages"][0]["blocks"][0]["text"] == f"{before}[redacted:{kind}]{behind}"


@pytest.mark.parametrize("around", ["{}", "it is {}.", "(`{}`)", '{{"a": "{}"}}', "zeile\\n{}\\nmehr", "X={}\n"])
def test_keys_of_other_services_are_known_by_their_form(around):
    """Whatever the tool is, its key is one credential, wherever it stands and without what stands around it."""
    mark = "[redacted:credential]"
    clean = {key: Redactor(KINDS).scrub(around.format(key)) for key in SERVICES}
    assert {key: text for key, text in clean.items() if text.replace("gitlab]", "credential]") != around.format(mark)} == {}


@pytest.mark.parametrize("told", TOLD, ids=range(len(TOLD)))
def test_what_stands_around_a_secret_tells_it(told):
    """Commands, headers, addresses, tables and files of keys lose the secret, and nothing around it."""
    before, secret, behind = told.partition("<")[0], told[told.index("<") + 1 : told.rindex(">")], told.rpartition(">")[2]
    clean = Redactor(KINDS).scrub(before + secret + behind)
    assert re.fullmatch(f"{re.escape(before)}\\[redacted:\\w+\\]{re.escape(behind)}", clean)


@pytest.mark.parametrize("told", TOLD, ids=range(len(TOLD)))
def test_what_tells_a_secret_does_so_in_json_within_json(told):
    """A dead letter holds a piece of an archive as text: quotes have backslashes there, other letters are numbers."""
    secret = told[told.index("<") + 1 : told.rindex(">")]
    letter = json.dumps(json.dumps({"text": f"{told.partition('<')[0]}{secret}{told.rpartition('>')[2]}"}))
    assert max(secret.splitlines(), key=len) not in Redactor(KINDS).scrub(letter).replace("\\", "")


def test_a_set_of_keys_loses_the_secret_parts_of_each():
    """However many there are: what stands far behind the first is looked at as well."""
    key = {"kty": "RSA", "n": "n" * 700, "d": "d" * 700, "p": "p" * 350, "q": "q" * 350}
    clean = Redactor(KINDS).scrub(json.dumps({"keys": [key] * 5}))
    assert not re.search("d{9}|p{9}|q{9}", clean)
    assert clean.count("n" * 700) == 5


@pytest.mark.parametrize(
    "written",
    [
        PEM.replace("\n", "\\n"),
        PEM.replace("\n", "\r\n"),
        PEM.replace("\n", "\n    "),
        f"-----BEGIN PRIVATE KEY-----\n{BODY}",
        f"-----BEGIN PRIVATE KEY-----\\n{BODY[:30]}",
        f"-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: GnuPG v2 (GNU/Linux)\n\n{BODY}\n-----END PGP PRIVATE KEY BLOCK-----",
    ],
)
def test_a_private_key_is_replaced_however_it_is_written(written):
    """Escaped, indented, with other line ends, cut off, or with a head: nothing of the key is left."""
    message = redacted(chat(text(f"key: {written}")))
    assert message["conversation"]["messages"][0]["blocks"][0]["text"] == "key: [redacted:privateKey]"


@pytest.mark.parametrize("line", CODE.splitlines())
def test_code_that_only_speaks_of_secrets_stays(line):
    """Names, types, calls and templates are no secrets."""
    conversation = chat(text(line))
    assert redacted(conversation)["conversation"] == conversation


def test_the_sources_of_this_project_stay_as_they_are():
    """In tens of thousands of lines nothing is found but addresses and homes; tests make up credentials on purpose."""
    command = ["git", "ls-files", "-z", "*.py", "*.ttl", "*.md", ":!tests"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    skipped = ("redact", "credentials", "how-to", "reference")
    files = [ROOT / name for name in listed.stdout.split("\0")[:-1] if not any(part in name for part in skipped)]
    messages = through(RedactSecrets(mode="mark", keep=(r".*@.*",)), [{"files": [(f.name, f.read_bytes())]} for f in files])
    changed = [f.name for f, message in zip(files, messages, strict=True) if message["redacted"].keys() - {"home", "email"}]
    assert changed == []


def everywhere():
    """Return a conversation with secrets in all its parts, and how many there are."""
    key, mail = "AKIAIOSFODNN7EXAMPLE", "me@example.org"
    tool = {"kind": "tool", "name": "x", "input": {mail: {"cmd": ["export", key]}, "password": "hunter2"}, "sources": ()}
    tool["result"] = {"parts": [{"text": key}, {"any": [mail]}], "failed": False}
    edit = {"command": "update", "key": "/home/alice/a.py", "title": mail, "old": key, "new": mail, "content": None}
    blocks = [tool, {"kind": "artifact", "artifact": edit}, {"kind": "unknown", "type": "odd", "data": {"deep": [{"x": key}]}}]
    blocks += [text(before + secret + behind) for before, secret, behind, _ in BEHIND]
    conversation = chat(*blocks, title=f"about {mail}", summary=key, sections=[{"title": mail, "text": key}], url=f"x?{mail}")
    file = {"name": f"{mail}.txt", "type": "", "text": key}
    conversation["messages"][0] |= {"attachments": [file], "name": mail, "files": [{"name": mail, "id": "f1"}]}
    return conversation, 19 + len(BEHIND)


def test_every_part_of_a_conversation_is_looked_through():
    """Titles, keys and values of calls, artifacts, attachments, sections and unknown blocks lose theirs; each is counted."""
    conversation, number = everywhere()
    message = redacted(conversation)
    said = json.dumps(message)
    assert not any(secret in said for secret in ("AKIA", "me@", "hunter2", "alice"))
    assert sum(message["redacted"].values()) == number
    assert (message["conversation"]["id"], message["conversation"]["leaf"]) == ("c1", "m1")


def test_ids_with_a_secret_become_others_that_belong_together_still(bench):
    """An id made of an address is replaced, the same one by the same; a review counts what marking counts."""
    messages = [{**chat(text("x"))["messages"][0], "id": f"ada{place}@a.example"} for place in range(2)]
    messages[1]["parent"] = messages[0]["id"]
    talk = chat(id="ada@a.example", leaf=messages[1]["id"], messages=messages)
    (result,) = through(RedactSecrets(mode="mark"), [{"conversation": talk}])
    clean = result["conversation"]
    one, other = clean["messages"]
    assert (other["parent"], clean["leaf"]) == (one["id"], other["id"])
    assert "ada" not in json.dumps(clean)
    assert len({clean["id"], one["id"], other["id"]}) == 3
    (reviewed,) = bench.through(RedactSecrets(mode="review"), {"conversation": talk})
    assert reviewed["redacted"] == result["redacted"] == {"email": 3}
    assert "ada0@" not in (bench.output / "redaction-review.ndjson").read_text()


def test_the_name_of_a_field_tells_what_is_in_it():
    """A header, a setting, a password in another language: its name is looked at with its value, which goes as a whole."""
    secrets = {
        "psk": "hunter2x9",
        "auth": "dXNlcjpwYXNzd29yZDEyMw==",
        "Cookie": f"theme=dark; sid={MIXED[:32]}",
        "пароль": "hunter2x",
    }
    plain = {
        "auth": "required",
        "cookie": "theme=dark; lang=en",
        "phrase": "how do you do",
        "authors": "dXNlcjpwYXNz",
        "psk": None,
    }
    tool = {"kind": "tool", "name": "x", "input": [secrets, plain], "result": None, "sources": ()}
    (block,) = redacted(chat(tool))["conversation"]["messages"][0]["blocks"]
    assert block["input"] == [dict.fromkeys(secrets, "[redacted:credential]"), plain]


def test_two_secrets_that_are_keys_stay_two():
    """No entry of an object is lost where two keys become one mark."""
    message = redacted(chat({"kind": "unknown", "type": "x", "data": {"a@b.org": 1, "c@d.org": 2}, "sources": ()}))
    assert message["conversation"]["messages"][0]["blocks"][0]["data"] == {"[redacted:email]": 1, "[redacted:email] 2": 2}


def test_what_is_clean_is_the_same_object():
    """A message without secrets is not copied."""
    conversation = chat(text("nothing here"))
    assert redacted(conversation)["conversation"]["messages"][0] is conversation["messages"][0]


def test_a_second_time_finds_nothing():
    """Marks are no secrets."""
    (message,) = through(
        [RedactSecrets(mode="mark"), RedactSecrets(mode="mark")], [{"conversation": everywhere()[0], "files": []}]
    )
    assert sum(message["redacted"].values()) == everywhere()[1]


def test_kinds_keep_and_also_say_what_is_a_secret():
    """Only the kinds asked for are replaced, what is to be kept stays, and own expressions have a kind of their own."""
    words = text("me@example.org you@example.org AKIAIOSFODNN7EXAMPLE größe ACME-0042")
    settings = {"kinds": ("email",), "keep": ("me@example.org",), "also": (r"ACME-\d+",)}
    message = redacted(chat(words), **settings)
    expected = "me@example.org [redacted:email] AKIAIOSFODNN7EXAMPLE größe [redacted:custom]"
    assert message["conversation"]["messages"][0]["blocks"][0]["text"] == expected


def test_a_bad_expression_is_refused_by_name():
    """The error shows the expression."""
    with pytest.raises(UsageError, match=r"also: '\(' is no regular expression"):
        RedactSecrets(also=("(",))


def test_files_and_records_behind_the_renderers_are_looked_through():
    """A secret that came into being there is replaced in content, paths and records; equal paths are kept apart."""
    key = b"AKIAIOSFODNN7EXAMPLE"
    files = [("a me@example.org.md", key), ("a you@example.org.md", b"x"), ("image.png", b"\0" + key)]
    (message,) = through(RedactSecrets(mode="mark"), [{"files": files, "records": {"x.jsonl": b'{"a": "' + key + b'"}\n'}}])
    paths = [path for path, _ in message["files"]]
    assert paths == ["a redacted-email.md", "a redacted-email 2.md", "image.png"]
    assert message["files"][0][1] == b"[redacted:aws]"
    assert message["files"][2][1] == b"\0" + key
    assert message["records"] == {"x.jsonl": b'{"a": "[redacted:aws]"}\n'}


@pytest.mark.parametrize("place", [0, 100, (1 << 20) - 10, (1 << 20) + 7, 2_100_000, 2_900_000])
def test_a_secret_across_pieces_of_a_large_file_is_found(place):
    """Pieces are looked at with what is around them, and a large file stays out of memory."""
    data = bytearray(b"word " * 600_000)
    data[place : place + 22] = b" AKIAIOSFODNN7EXAMPLE "
    spool = Spool()
    content = [spool.put(bytes(data[: place + 9])), bytes(data[place + 9 : place + 12]), spool.put(bytes(data[place + 12 :]))]
    (message,) = through(RedactSecrets(mode="mark"), [{"files": [("x.md", content)]}])
    expected = bytes(data).replace(b"AKIAIOSFODNN7EXAMPLE", b"[redacted:aws]")
    assert b"".join(pieces(message["files"][0][1])) == expected
    assert message["redacted"] == {"aws": 1}


def test_a_conversation_too_large_for_memory_is_cleaned_on_the_way():
    """Its messages are made anew each time, and their secrets counted once."""
    items = SpooledList()
    for number in range(3):
        items.append({"id": str(number), "blocks": [text("AKIAIOSFODNN7EXAMPLE")]})
    message = redacted(chat(messages=Mapped(dict, items)))
    messages = message["conversation"]["messages"]
    assert isinstance(messages, CleanMessages)
    assert [[block["text"] for block in one["blocks"]] for one in messages] == [["[redacted:aws]"]] * len(messages)
    assert len(list(messages)) == 3
    assert message["redacted"] == {"aws": 3}


def test_a_review_lists_what_it_finds_and_converts_nothing(bench):
    """Each secret is a line with its place and a masked sample; the message goes on with its account."""
    (message,) = bench.through(RedactSecrets(mode="review"), {"conversation": everywhere()[0]})
    lines = [json.loads(line) for line in (bench.output / "redaction-review.ndjson").read_text().splitlines()]
    assert len(lines) == everywhere()[1] == sum(message["redacted"].values())
    assert message["account"]["became"] == {"conversation": {"skipped: only reviewed": 1}}
    assert "conversation" not in message
    (found,) = [line for line in lines if line["where"] == "blocks[0].input.password"]
    assert (found["message"], found["kind"], found["sample"]) == ("m1", "credential", "hu… (7 characters)")
    assert "EXAMPLE" not in json.dumps(lines)
    assert bench.events[-1][1]["text"] == f"{len(lines)} secrets listed in redaction-review.ndjson"


def test_no_message_is_touched_when_it_is_off(bench):
    """The default is to leave everything alone."""
    conversation = everywhere()[0]
    assert bench.through(RedactSecrets(), {"conversation": conversation}) == [{"conversation": conversation}]
    assert bench.scrubs == []


class Broken(Processor):
    """Fail with the message in the error, or reject some of it."""

    def process(self, message):
        self.context.skip("met me@example.org")
        self.context.reject('{"broken": "me@example.org \\n AKIAIOSFODNN7EXAMPLE', RunError("bad"), file="/home/alice/x")
        raise RunError("cannot read AKIAIOSFODNN7EXAMPLE")


@pytest.mark.parametrize("policy", ["deadLetter", "skip", "stop"])
def test_letters_reasons_and_errors_hold_no_secret(tmp_path, policy):
    """What fails in front of the redaction is clean in the dead letters, in events and in the error of the run."""
    import asyncio

    run = run_of([Broken(), RedactSecrets(mode="mark")], [{"element": {"me@example.org": JWT}}], tmp_path, on_error=policy)
    told = []
    run.on("*", lambda event, fields: told.append(str(fields)))

    async def work():
        async with run:
            await run.wait()

    try:
        asyncio.run(work())
    except RunError as error:
        told.append(str(error))
    told.append((tmp_path / "dead-letters.ndjson").read_text())
    assert not any(secret in text for text in told for secret in ("AKIA", "example.org", "alice", JWT))
    assert len(told) > 2


@pytest.mark.parametrize(
    "hostile", ["a" * 63 + "@", "a@b.c.d.e-f.", "-----BEGIN PRIVATE KEY-----", 'password="', "eyJ", "/home/"]
)
def test_a_megabyte_of_almost_secrets_is_no_trap(hostile):
    """Each expression begins at a fixed place and has a bound, so time grows with the length and no faster."""
    data = (hostile * (1 << 20))[: 1 << 20]
    message = redacted(chat(text(data)))
    assert len(message["conversation"]["messages"][0]["blocks"][0]["text"]) > 100
