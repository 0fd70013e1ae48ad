"""Rendering pages in Chromium: what scripts make of them, what hostile ones do, and that none gets out past the guard.

One browser renders all pages of a test module's fixture, as they would come in a crawl; the tests look at what became of each.
"""

import asyncio
import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from egress_table import HOSTILE
from local_server import LocalServer, Page, redirect, serving
from site_of_pages import WORDS, by_url, crawl, html, web
from waiting import eventually

from transmissions.processors.browser_pool import Wanted, shared_browser
from transmissions.processors.crawl_render import PageRender
from transmissions.testing import through

HAS_BROWSER = shutil.which("chromium") is not None
pytestmark = [pytest.mark.skipif(not HAS_BROWSER, reason="there is no Chromium here"), pytest.mark.timeout(240)]

PIP, BROWSER = f"{sys.executable} -m pip install playwright", f"{sys.executable} -m playwright install chromium"
HTML = {"content-type": "text/html; charset=utf-8"}
DATA = "fetch('/data').then((answer) => answer.text()).then((text) => document.body.append(text))"
PAGES = {
    "/spa": "<!doctype html><title>S</title><div id=root></div><script>root.innerHTML = '<p>made by &lt;script&gt;'</script>",
    "/late": f"<body><script>{DATA}</script>",
    "/cookies": "<body><script>document.cookie = 'a=1'; localStorage.a = 1</script>",
    "/cookies-again": "<body><script>document.body.append(`found ${document.cookie}${localStorage.length}`)</script>",
    "/moved": "<script>location.replace('/data.html')</script>",
    "/gone": "<script>location.replace('/none')</script>",
    "/into": "<script>location.replace('/there')</script>",
    "/refresh": "<meta http-equiv=refresh content='0;url=CANARY'>",
    "/file": "<p>stays<script>location = 'file:///etc/passwd'; open('file:///etc/passwd')</script>",
    "/data-url": "<p>stays<script>location = 'data:text/html,x'</script>",
    "/endless": "<p>x<script>while (1);</script>",
    "/endless-later": "<p>x<script>setTimeout(() => { while (1); }, 30)</script>",
    "/dialogs": "<body><script>alert(1); confirm(2); prompt(3); print(); document.body.append('went on')</script>",
    "/windows": "<body><script>for (let n = 0; n < 20; n++) open('/popup'); document.body.append('went on')</script>",
    "/download": "<body><a id=a href=/load download>x</a><script>a.click(); document.body.append('went on')</script>",
    "/large": "<body><script>document.body.append('x'.repeat(300000))</script>",
    "/circle": "<body><script>location.replace('/circle-1')</script>",
    "/swells": "<body><script>for (;;) document.body.append(document.createElement('p'), 'x'.repeat(100))</script>",
    "/heap": "<body><script>const all = []; for (;;) all.push(new Array(10000).fill(0.5))</script>",
    "/worker": "<body><script>navigator.serviceWorker.register('/sw.js').then("
    "(found) => document.body.append(found ? 'one' : 'none'))</script>",
    "/asks": "<body><script>Notification.requestPermission().then((said) => document.body.append(said));"
    "navigator.geolocation.getCurrentPosition(() => document.body.append('here'))</script>",
    "/lies": "<p>true<script>Object.defineProperty(Element.prototype, 'outerHTML', { get: () => 'a lie' });"
    "XMLSerializer.prototype.serializeToString = () => 'a lie'; String.prototype.valueOf = () => 'a lie'</script>",
    "/names": "<body><img name=documentElement><img name=doctype><form><input name=shadowRoot>"
    "<input name=childNodes>told</form>",
    "/shadows": "<body><x-a><b slot=s>in its slot</b>not shown</x-a><x-b></x-b><script>"
    "const open = (one, html) => (one.attachShadow({ mode: 'open' }).innerHTML = html, one.shadowRoot);"
    "const root = open(document.querySelector('x-a'), "
    "'<p>first</p><slot name=s>instead</slot><slot name=t>its own</slot><x-c></x-c>');"
    "open(root.querySelector('x-c'), '<form><input name=childNodes><i>deep</i></form>');"
    "document.querySelector('x-b').attachShadow({ mode: 'closed' }).innerHTML = 'closed'</script>",
    "/shadows-without-end": "<body>told<script>let one = document.body; for (let n = 0; n < 20000; n++) {"
    "const inner = document.createElement('div'); one.attachShadow({ mode: 'open' }).append(inner); one = inner }</script>",
    "/image": "<body><img src=/image.png><video src=/film></video><style>@font-face { font-family: f; src: url(/font) }"
    "body { font-family: f }</style>x",
}
SERVED = {
    "/data": Page(b"from afar", {"Content-Type": "text/plain"}),
    "/data.html": Page(b"<p>moved here", {"Content-Type": "text/html"}),
    "/there": redirect("http://169.254.169.254/latest/meta-data/"),
    "/circle-1": redirect("/circle-2"),
    "/circle-2": redirect("/circle-1"),
    "/load": Page(b"x", {"Content-Disposition": "attachment", "Content-Type": "application/x"}),
    "/sw.js": Page(b"", {"Content-Type": "text/javascript"}),
}


def fetched(url, body, **more):
    """Return a page as it comes to be rendered."""
    had = {"url": url, "final_url": url, "headers": HTML, "body": body.encode()}
    return {**had, "gate_decision": "headless", "options": {"timeout_seconds": 20}, **more}


def render(pages, **settings):
    """Render pages, and return them by path."""
    step = PageRender(allow=("127.0.0.2",), tabs=4, **{"patience": 2000, "max_bytes": 200_000, **settings})
    return {"/" + page["url"].split("/", 3)[3]: page for page in through(step, pages, concurrency=4, ordered=False)}


@contextlib.contextmanager
def canaries():
    """Listen where nothing may ever arrive: at the loopback of both families, and for datagrams."""
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(serving({}, "127.0.0.1"))
        other = LocalServer({}, "::1", first.server_port)
        stack.callback(other.server_close)
        datagrams = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        datagrams.bind(("127.0.0.1", first.server_port))
        for one in (datagrams, other.socket):
            one.setblocking(False)
        yield first, other.socket.accept, lambda: datagrams.recv(1)


def assert_untouched(first, *others):
    """Say so if anything arrived."""
    assert first.connections == 0
    for other in others:
        with pytest.raises(BlockingIOError):
            other()


@pytest.fixture(scope="module")
def site():
    """Serve what belongs to the pages."""
    with serving(SERVED, "127.0.0.2") as server:
        yield server


@pytest.fixture(scope="module")
def rendered(site):
    """Render all pages in one run."""
    with canaries() as watched:
        texts = {path: text.replace("CANARY", watched[0].url) for path, text in PAGES.items()}
        pages = [fetched(site.url + path, text) for path, text in texts.items()]
        for page in pages:
            page["options"] = {"timeout_seconds": 2 if "endless" in page["url"] else 20}
        yield render(pages, max_memory=256 * 2**20)
        assert_untouched(*watched)


def test_cp07_what_scripts_write_is_there(rendered):
    """CP-07: the body is the document after its scripts have run, in UTF-8."""
    page = rendered["/spa"]
    assert b"<p>made by &lt;script&gt;</p></div>" in page["body"]
    assert page["body"].startswith(b"<!DOCTYPE html><html>")
    assert (page["rendered"], page["charset"], page["processing_stages"]) == (True, "utf-8", ["render"])


def test_what_scripts_fetch_is_there(rendered, site):
    """The page is waited for until it asks for nothing more."""
    assert b"from afar" in rendered["/late"]["body"]


def test_a_page_is_not_fetched_again(rendered, site):
    """CP-12: the browser has the body that is there, and images, films and fonts are not fetched at all."""
    asked = {seen.path for seen in site.seen}
    assert not asked & PAGES.keys()
    assert not asked & {"/image.png", "/film", "/font", "/popup"}


def test_pages_share_nothing(rendered):
    """Cookies and stores of a page are gone with it."""
    assert b"found 0" in rendered["/cookies-again"]["body"]


def test_where_a_script_leads_is_told(rendered, site):
    """The page is then what was there, with its URL."""
    page = rendered["/moved"]
    assert page["final_url"] == site.url + "/data.html"
    assert b"moved here" in page["body"]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/gone", "RENDER_FAILED"),
        ("/circle", "RENDER_FAILED"),
        ("/swells", "RENDER_FAILED"),
        ("/heap", "RENDER_FAILED"),
        ("/into", "POLICY_EGRESS"),
        ("/refresh", "POLICY_EGRESS"),
        ("/endless", "RENDER_TIMEOUT"),
        ("/endless-later", "RENDER_TIMEOUT"),
        ("/large", "LIMIT_BYTES"),
    ],
)
def test_why_a_page_is_not_rendered(rendered, path, code):
    """Whatever is wrong has a code, and costs only its page."""
    assert rendered[path]["fault"]["error_code"] == code
    assert "rendered" not in rendered[path]


@pytest.mark.parametrize("path", ["/dialogs", "/windows", "/download"])
def test_nobody_is_asked(rendered, path):
    """Dialogs, windows and downloads stop no page, and nothing comes of them."""
    assert b"</script>went on" in rendered[path]["body"]


def test_a_page_cannot_leave_the_web(rendered):
    """Files and data are nowhere a page can go."""
    assert b"stays" in rendered["/file"]["body"]
    assert b"stays" in rendered["/data-url"]["body"]


def test_nothing_is_permitted(rendered):
    """Permissions are denied without a question."""
    assert b"denied" in rendered["/asks"]["body"]


def test_no_worker_is_left_behind(rendered, site):
    """Service workers, which would answer for the web, cannot be registered."""
    assert b"</script>none" in rendered["/worker"]["body"]
    assert "/sw.js" not in {seen.path for seen in site.seen}


def test_scripts_cannot_lie_about_the_document(rendered):
    """What is read is the document, whatever scripts have made of the means to read it."""
    assert rendered["/lies"]["body"].startswith(b"<html><head></head><body><p>true")


def test_what_elements_are_named_hides_nothing(rendered):
    """Also not if that is the name of what a document is read by."""
    assert rendered["/names"]["body"].startswith(b"<html><head></head><body><img")
    assert b"told</form>" in rendered["/names"]["body"]


def test_what_is_in_open_shadow_roots_is_there(rendered):
    """As it is shown: with what was put into slots, else what is there by itself; and of a tower of them what is outside."""
    text = rendered["/shadows"]["body"].partition(b"<script>")[0].decode()
    assert re.findall(r">([a-z ]+)<", text) == ["first", "in its slot", "its own", "deep"]
    assert b"told" in rendered["/shadows-without-end"]["body"]


EVERY_WAY = """<link rel=stylesheet href=URL/1><link rel=prefetch href=URL/2><link rel=preconnect href=URL>
<link rel=dns-prefetch href=URL><link rel=preload as=script href=URL/3><link rel=modulepreload href=URL/4>
<link rel=icon href=URL/5>
<link rel=prerender href=URL/6><script type=speculationrules>{"prefetch": [{"urls": ["URL/7"]}]}</script>
<style>@import 'URL/8'; body { background: url(URL/9) }</style><script src=URL/10></script><iframe src=URL/11></iframe>
<iframe srcdoc="<meta http-equiv=refresh content='0;url=URL/12'>"></iframe><object data=URL/13></object><embed src=URL/14>
<img src=URL/15><video src=URL/16></video><audio src=URL/17></audio><svg><use href=URL/18#x /><image href=URL/19 /></svg>
<form id=form action=URL/20 method=post target=frame></form><iframe name=frame></iframe><a id=a ping=URL/21 href=#x>x</a>
<script>
form.submit(); a.click(); navigator.sendBeacon('URL/22', 'x'); fetch('URL/23', { mode: 'no-cors' }).catch(() => 0)
fetch('/out').catch(() => 0); fetch('/out', { method: 'POST', body: 'x', keepalive: true }).catch(() => 0)
new WebSocket('SOCKET/24'); new EventSource('URL/25'); new Worker('data:text/javascript,importScripts("URL/26")')
const request = new XMLHttpRequest(); request.open('GET', 'URL/27'); request.send(); open('URL/28')
const peer = new RTCPeerConnection({ iceServers: [{ urls: ['stun:HOST', 'turn:HOST?transport=tcp', 'turn:HOST'], username: 'a',
  credential: 'b' }] })
peer.createDataChannel('x'); peer.createOffer().then((offer) => peer.setLocalDescription(offer))
try { const wt = new WebTransport('https://HOST/29'); wt.ready.catch(() => 0); wt.closed.catch(() => 0) } catch { }
document.fonts.add(new FontFace('f', 'url(URL/30)')); new FontFace('g', 'url(URL/31)').load().catch(() => 0)
setTimeout(() => document.body.append('tried all'), 300)
</script>"""


def test_no_way_leads_out(site):
    """Of all the ways a page can ask for something, none reaches an address that is not allowed, redirected or not."""
    with canaries() as watched:
        url = watched[0].url
        SERVED["/out"] = redirect(url + "/redirected")
        text = EVERY_WAY.replace("URL", url).replace("SOCKET", url.replace("http", "ws"))
        text = text.replace("HOST", url.removeprefix("http://"))
        page = render([fetched(site.url + "/every", text)], block=(), patience=3000)["/every"]
        assert_untouched(*watched)
    assert b"</script>tried all" in page["body"]


def at_port(url, port):
    """Return a URL of the table with another port, where that makes sense."""
    return re.sub(r"^(\w+://(?:[^/@]*@)?(?:\[[^\]]*\]|[^/:?\[\]]+))(?::\d+)?(?=/|$)", rf"\1:{port}", url)


def test_hostile_urls_lead_nowhere(site):
    """All of the table, as what belongs to a page and as what it redirects to: nothing arrives at the loopback."""
    urls = [url for url in HOSTILE if url.isprintable() and len(url) < 1000 and "example.org" not in url]
    with canaries() as watched:
        targets = [at_port(url, watched[0].server_port) for url in urls]
        for number, target in enumerate(targets):
            SERVED[f"/to-{number}"] = redirect(target.encode("ascii", "xmlcharrefreplace").decode())
        text = f"""<body><script>const urls = {targets!r}
        const all = urls.flatMap((url, number) => [url, '/to-' + number])
        Promise.allSettled(all.map((url) => fetch(url, {{ mode: 'no-cors' }}))).then((found) => document.body.append(
            'tried ' + found.length))</script>"""
        page = render([fetched(site.url + "/table", text)], patience=15_000)["/table"]
        assert_untouched(*watched)
    assert f"tried {2 * len(urls)}".encode() in page["body"]


def test_a_redirect_of_what_belongs_to_a_page_is_followed(site):
    """What is allowed comes, over as many hops as it takes."""
    SERVED["/hop"] = redirect("/data")
    text = PAGES["/late"].replace("/data", "/hop")
    assert b"from afar" in render([fetched(site.url + "/hops", text)])["/hops"]["body"]


def test_what_one_page_fetches_is_bounded(site):
    """Beyond that nothing comes; the page is what it is by then."""
    SERVED["/much"] = Page(b"x" * 3_000_000)
    script = "fetch('/much').then((a) => a.text()).then(() => 'whole', () => 'cut').then((said) => document.body.append(said))"
    page = render([fetched(site.url + "/m", f"<body><script>{script}</script>")], max_traffic=1_000_000)["/m"]
    assert b"</script>cut" in page["body"]


def test_other_pages_are_left_alone(site):
    """Only what the gate wants rendered, or what came to nothing without, is."""
    plain = [
        fetched(site.url + "/raw", PAGES["/spa"], gate_decision="raw"),
        fetched(site.url + "/failed", PAGES["/spa"], fault={}),
        {"event": "metadata"},
    ]
    assert through(PageRender(), plain) == plain


def test_cp07_a_crawl_renders_what_needs_it(tmp_path):
    """CP-05, CP-06, CP-07: pages that show their text are read as they came, others rendered, unless that is not wanted."""
    script = f"<script>root.innerHTML = '<p>{WORDS}</p>'.repeat(9)</script>"
    shell = "<!doctype html><title>S</title><div id=root></div><noscript>You need JavaScript</noscript>" + script
    with web({"/shell": Page(shell.encode(), {"Content-Type": "text/html"}), "/plain": html("Plain")}) as site:
        found = by_url(crawl(site.urls("/shell", "/plain"), tmp_path / "a"))
        (never,) = crawl(site.urls("/shell"), tmp_path / "b", headless="never")
    shown = {path: event["result"] for path, event in found.items()}
    assert shown["/plain"]["gate_decision"] == "raw"
    assert "how roses are cut" in shown["/shell"]["document"]["text"]
    assert shown["/shell"]["gate_decision"] != "raw"
    assert never["result"]["gate_decision"] == "raw"
    assert "how roses" not in never["result"]["document"]["text"]


def test_poor_pages_are_rendered(site):
    """CP-06: a page that was read and has too little text is rendered then."""
    page = fetched(site.url + "/poor", PAGES["/spa"], gate_decision="probes_first", render_wanted=True)
    assert render([page])["/poor"]["rendered"]


def test_without_a_browser_pages_go_on(site):
    """They are read as they came, and say why; only a request that wants every page rendered has an error."""
    pages = [fetched("http://127.0.0.2/a", "x"), fetched("http://127.0.0.2/b", "x", options={"headless": "always"})]
    auto, always = through(PageRender(browser="/no/such/browser"), pages)
    assert auto["gate_decision_reason"].endswith("there is no browser '/no/such/browser', which the setting browser names")
    assert "fault" not in auto
    assert always["fault"]["error_code"] == "RENDER_FAILED"


@pytest.mark.parametrize(("missing", "commands"), [("library", [PIP, BROWSER]), ("browser", [BROWSER])])
def test_what_is_missing_for_rendering_is_named_with_all_commands(monkeypatch, missing, commands):
    """Those that install it where this Python looks for it."""
    if missing == "library":
        monkeypatch.setitem(sys.modules, "playwright.async_api", None)
    else:
        monkeypatch.setattr("transmissions.processors.browser_pool.shutil.which", lambda _: None)
    [page] = through(PageRender(), [fetched("http://127.0.0.2/b", "x", options={"headless": "always"})])
    assert page["fault"]["error_code"] == "RENDER_FAILED"
    assert [command in page["fault"]["message"] for command in (PIP, BROWSER)] == [one in commands for one in (PIP, BROWSER)]


def descendants(pid):
    """Return the processes that come from one, and theirs."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            _, _, rest = stat.read_text().rpartition(")")
            parents.setdefault(int(rest.split()[1]), []).append((int(stat.parent.name), rest.split()[19]))
    found, left = [], [pid]
    while left:
        children = parents.get(left.pop(), [])
        found += children
        left += [child for child, _ in children]
    return found


def is_there(process):
    """Whether a process, by its number and when it began, still runs."""
    with contextlib.suppress(OSError):
        rest = Path(f"/proc/{process[0]}/stat").read_text().rpartition(")")[2].split()
        return rest[19] == process[1] and rest[0] != "Z"
    return False


@pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")
def test_a_browser_that_is_gone_is_replaced():
    """The page that was in it is rendered by the next one."""
    killed = []

    def answer(seen):
        browser = next(pid for pid, _ in descendants(os.getpid()) if _parent(_parent(pid)) == os.getpid())
        if not killed:
            os.kill(browser, signal.SIGKILL)
        killed.append(browser)
        return Page(f"time {len(killed)}".encode())

    with serving(answer, "127.0.0.2") as server:
        page = render([fetched(server.url + "/a", PAGES["/late"])])["/a"]
    assert b"</script>time 2" in page["body"]


def _parent(pid):
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


@pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")
@pytest.mark.parametrize("kept", [0.0, 60.0])
def test_a_browser_is_kept_for_the_next_run(kept):
    """If that comes in time; when the loop ends nothing is left, however long it was to be kept."""

    async def use():
        async with shared_browser(Wanted("", 2**30, kept)) as shared:
            return await shared.running()

    async def twice():
        before = set(descendants(os.getpid()))
        first = await use()
        return first is await use(), set(descendants(os.getpid())) - before

    is_same, started = asyncio.run(twice())
    assert (is_same, bool(started)) == (kept > 0, kept > 0)
    assert not any(map(is_there, started))


@pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")
def test_a_browser_that_nobody_waits_for_any_more_is_not_left():
    """A run that is cancelled while the browser's driver starts leaves no process, and nothing that reads from one."""

    async def cut_short():
        before = set(descendants(os.getpid()))
        async with shared_browser(Wanted("", 2**30)) as shared:
            start = asyncio.create_task(shared.running())
            while not any("PipeTransport.run" in repr(task) for task in asyncio.all_tasks()):
                await asyncio.sleep(0.001)
            started = set(descendants(os.getpid())) - before
            start.cancel()
            await asyncio.wait([start])
        return start.cancelled(), bool(started), any(map(is_there, started)), len(asyncio.all_tasks())

    assert asyncio.run(cut_short()) == (True, True, False, 1)


RUN = """
from transmissions.processors.browser_pool import Wanted, shared_browser
from transmissions.processors.crawl_render import PageRender
from transmissions.testing import through
script = "setTimeout(() => { while (1); }, 30)"
page = {"url": "http://127.0.0.2/", "headers": {"content-type": "text/html"}, "body": f"<p>x<script>{script}</script>".encode()}
print(through(PageRender(), [page | {"gate_decision": "headless", "options": {"timeout_seconds": 60}}]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")
def test_a_killed_run_leaves_nothing():
    """Neither driver nor browser outlives the process that started them, however it ends, nor do their files."""
    with tempfile.TemporaryDirectory() as folder:  # a short path: Chromium has a socket in it
        command = [sys.executable, "-P", "-c", RUN]
        with subprocess.Popen(command, env={**os.environ, "TMPDIR": folder}, stdout=subprocess.DEVNULL) as run:
            assert eventually(lambda: len(descendants(run.pid)) > 5 and list(Path(folder).glob("*profile*")), 60)
            started = descendants(run.pid)
            run.kill()
        assert eventually(lambda: not any(map(is_there, started)), 60)
        assert eventually(lambda: not list(Path(folder).glob("*profile*")), 60)
