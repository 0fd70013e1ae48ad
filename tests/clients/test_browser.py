"""The page and the JavaScript client in a browser. Skipped where Debian's Chromium is not installed."""

import json

import delivering
import pytest
from clients.chromium import chromium, needs_chromium
from local_server import serving
from waiting import eventually

pytestmark = [needs_chromium, pytest.mark.timeout(240)]
PROTOCOLS = ("ndjson", "sse", "eventsource", "websocket")
URLS = '{"urls": ["http://a", "http://b"], "options": {"wait": 0.05}}'
ELSEWHERE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<p>elsewhere"
ENDED = "document.getElementById('status').textContent.startsWith('Ended')"


@pytest.fixture(scope="module")
def page():
    """Give a tab of one browser to all of them."""
    with chromium() as tab:
        yield tab


def choose(page, app, protocol, message):
    """Fill the form."""
    page.until("document.querySelectorAll('#app option').length > 0")
    page.value(
        f"{{const of = (id) => document.getElementById(id); of('app').value = {app!r}; of('protocol').value = {protocol!r};"
        f" of('message').value = {message!r}; 0}}"
    )


ODD = (
    '{"event": "progress", "completed": "x", "total": "many"}',
    '{"event": "progress", "completed": 1e308, "total": 1e-300}',
    '{"url": 5, "status": {"a": 1}, "document": {"title": ["a"], "text": {"b": 1}}}',
    '{"url": "u", "document": {"title": "' + "long" * 2000 + '", "text": ["' + "x" * 2000 + '"]}}',
)


@pytest.mark.parametrize("fields", ODD)
def test_nothing_an_app_says_stops_the_page(page, server, fields):
    """What is no number, no text or too long for a card is shown as far as it can be."""
    page.open(server.url)
    choose(page, "numbers", "ndjson", f'{{"count": 2, "fields": {fields}}}')
    page.value("document.getElementById('start').click()")
    page.until("/^(Ended|Failed)/.test(document.getElementById('status').textContent)")
    assert page.value("document.getElementById('status').textContent").startswith("Ended, complete")
    assert page.value("Math.max(0, ...[...document.querySelectorAll('.card *')].map((one) => one.textContent.length))") <= 210
    assert page.value("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_br01_br02_br03_the_page_runs_an_app_and_shows_it(page, server, protocol):
    """With a card for each result, whose text is no HTML, and how it ended; nothing is asked for behind the summary."""
    page.told.clear()
    page.open(server.url)
    choose(page, "crawl", protocol, URLS)
    page.value("document.getElementById('start').click()")
    page.until(ENDED)
    cards = page.value("[...document.querySelectorAll('.card')].map((card) => card.innerText)")
    assert len(cards) == 2
    for part in ("<img src=x", "URL: http://a", "Status: 200", "Time: 12 ms", "Quality: 87.5 %"):
        assert part in cards[0]
    assert len(cards[0].splitlines()[-1]) <= 201
    assert page.value("[document.querySelectorAll('#results img').length, window.broken ?? 0, progress.value]") == [0, 0, 1]
    assert page.told == []
    assert eventually(lambda: not server.streams.hub.lifecycle.connections)


def test_br04_with_the_keyboard_and_a_token(page, home):
    """The token is typed in, and kept nowhere; a run is paused, resumed and cancelled."""
    with delivering.running("numbers", token="secret-token") as server:
        page.open(server.url)
        page.until("document.getElementById('status').textContent.startsWith('Type the token')")
        page.value("document.getElementById('token').focus()")
        page.type("secret-token")
        page.press("Tab", 9)
        choose(page, "numbers", "websocket", '{"count": 500, "wait": 0.02}')
        page.value("document.getElementById('start').focus()")
        page.press("Enter", 13, text="\r")
        page.until("document.querySelectorAll('.card').length > 3")
        for button, state in (("pause", "paused"), ("resume", "running"), ("cancel", "Ended, cancelled")):
            page.value(f"document.getElementById('{button}').focus()")
            page.press(" ", 32, text=" ")
            page.until(f"document.getElementById('status').textContent.includes('{state}')")
        assert page.value("[localStorage.length, sessionStorage.length, document.cookie, location.search]") == [0, 0, "", ""]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_page_draws_many_events_at_once(page, server, protocol):
    """However they come: over a WebSocket each is by itself, and drawn so would cost more than all else."""
    page.open(server.url)
    choose(page, "numbers", protocol, '{"count": 3000}')
    page.value(
        "{window.drawn = 0; new MutationObserver(() => { window.drawn += 1; })"
        ".observe(document.getElementById('results'), { childList: true }); 0}"
    )
    page.value("document.getElementById('start').click()")
    page.until(ENDED)
    assert page.value("window.drawn") < 300
    cards = page.value("[...document.querySelectorAll('.card')].map((card) => card.innerText)")
    assert len(cards) == 200
    assert [int(json.loads(card.partition("\n")[2])["n"]) for card in cards] == list(range(2800, 3000))
    assert page.value("document.getElementById('count').textContent") == "(3000)"
    assert '"summary"' in page.value("document.getElementById('log').textContent").splitlines()[-1]


def test_a_message_that_is_no_json_is_not_sent(page, server):
    """The page says what is wrong with it."""
    page.open(server.url)
    choose(page, "numbers", "ndjson", "{")
    page.value("document.getElementById('start').click()")
    assert "not JSON" in page.until("document.getElementById('status').textContent")
    assert server.streams.hub.runs == {}


def test_js08_the_client_runs_in_a_page(page, server):
    """As a module of the server's own origin, over each protocol."""
    page.open(server.url)
    script = (
        "import('/static/client.js').then(async ({ StreamClient }) => { const found = [];"
        " for (const protocol of %s) { const client = new StreamClient({ protocol });"
        " const { results, summary } = await client.run('numbers', { count: 300 });"
        " found.push([results.length, results.at(-1).result.n, summary.status]); } return found; })"
    )
    assert page.value(script % list(PROTOCOLS)) == [[300, 299, "complete"]] * 4


def event_source(url, names, until):
    """Return a script that listens to a plain EventSource until something is the case, and says what it heard."""
    return (
        f"new Promise((resolve) => {{ const heard = []; const source = new EventSource({url!r});"
        f" const done = () => {{ if ({until}) {{ resolve([heard, source.readyState]); source.close(); }} }};"
        f" for (const name of {list(names)}) source.addEventListener(name, ({{ data }}) => {{"
        " heard.push([name, data === undefined ? null : JSON.parse(data)]); done(); });"
        " source.addEventListener('error', () => setTimeout(done, 50)); })"
    )


def test_ss08_ss12_ss17_a_plain_eventsource_hears_everything_and_stops(page, home):
    """Heartbeats too, as events with data; when it comes again behind the summary it is told 204, and closes for good."""
    with delivering.running("numbers", pace=delivering.Pace(heartbeat=0.2)) as server:
        page.open(server.url)
        asked = {"X-Session-ID": "mine"}
        body = server.ask("POST", "/apps/numbers/sse", {"count": 2, "wait": 0.5}, **asked)[2]
        assert b"/apps/numbers/sse/stream?session_id=mine" in body
        names = ("metadata", "result", "heartbeat", "summary")
        script = event_source("/apps/numbers/sse/stream?session_id=mine", names, "source.readyState === 2")
        heard, state = page.value(script)
    kinds = [name for name, _ in heard]
    assert (kinds[0], kinds[-1], kinds.count("result"), kinds.count("summary")) == ("metadata", "summary", 2, 1)
    assert all(data["timestamp"] for name, data in heard if name == "heartbeat")
    assert "heartbeat" in kinds
    assert state == 2


def test_ss13_an_error_that_was_sent_has_data(page, server):
    """One of the connection has none; by that a client tells them apart, and only that one is a reason to come again."""
    page.open(server.url)
    server.ask("POST", "/apps/dead/sse", {"count": 2}, X_Session_ID="mine")
    script = event_source("/apps/dead/sse/stream?session_id=mine", ("error", "summary"), "heard.at(-1)[0] === 'summary'")
    heard, _ = page.value(script)
    [sent] = [data for name, data in heard if name == "error" and data]
    assert sent["error"]["type"] == "DeadLetter"


def test_ss14_an_eventsource_that_comes_again_says_what_it_has(page, home):
    """By itself, in `Last-Event-ID`, and gets what comes behind it."""
    with delivering.running("numbers", pace=delivering.Pace(longest=0.4)) as server:
        page.open(server.url)
        server.ask("POST", "/apps/numbers/sse", {"count": 8, "wait": 0.1}, X_Session_ID="mine")
        script = event_source(
            "/apps/numbers/sse/stream?session_id=mine", ("result", "summary"), "heard.at(-1)?.[0] === 'summary'"
        )
        heard, _ = page.value(script)
    assert [data["result"]["n"] for name, data in heard if name == "result"] == list(range(8))


def test_r07_one_eventsource_at_a_time(page, server):
    """The client closes one before it makes another, however often a stream ends at once, and then gives up."""
    page.open(server.url)
    script = (
        "import('/static/client.js').then(async ({ StreamClient }) => { let open = 0, most = 0, made = 0;"
        " class Counted extends EventSource {"
        " constructor() { super('/nothing-here'); made += 1; most = Math.max(most, open += 1); }"
        " close() { open -= 1; super.close(); } }"
        " const client = new StreamClient({ protocol: 'eventsource', EventSource: Counted, maxRetries: 4, baseDelay: 5 });"
        " const error = await client.run('numbers').catch((one) => one.name); return [error, open, most, made]; })"
    )
    assert page.value(script) == ["Disconnected", 0, 1, 5]


def test_pages_of_other_origins_are_refused(page, server):
    """Whatever they ask for, on each protocol."""
    with serving({"/": [ELSEWHERE]}) as other:
        page.open(f"{other.url}/")
        fetched = f"fetch('{server.url}/apps').then(() => 'open', () => 'refused')"
        socket = (
            f"new Promise((resolve) => {{ const socket = new WebSocket('{server.url.replace('http', 'ws')}/apps/numbers/ws');"
            " socket.onopen = () => resolve('open'); socket.onclose = () => resolve('refused'); })"
        )
        assert [page.value(fetched), page.value(socket)] == ["refused", "refused"]


def test_hd19_a_page_of_an_origin_that_is_let_in_may_ask_and_read(page, home):
    """With our headers in what it asks for and in the answer, a token, and the streams that browsers open themselves."""
    with serving({"/": [ELSEWHERE]}) as other, delivering.running("numbers", token="T", origins=[other.url]) as server:
        page.open(f"{other.url}/")
        headers = "'Content-Type': 'application/json', Authorization: 'Bearer T', 'X-Buffer-Size': '1024', 'X-Session-ID': '%s'"
        asked = f"{{ method: 'POST', headers: {{ {headers} }}, body: '{{}}' }}"
        fetched = page.value(
            f"fetch('{server.url}/apps/numbers/stream', {asked % 'mine'}).then(async (reply) => [reply.status,"
            " reply.headers.get('X-Buffer-Capacity'), reply.headers.get('X-Session-ID'), reply.headers.has('X-Request-ID'),"
            " (await reply.text()).trim().split('\\n').map((line) => JSON.parse(line).event).at(-1)])"
        )
        refused = page.value(
            f"fetch('{server.url}/apps/numbers/stream?preset=x', {asked % 'mine'}).then((reply) => reply.status)"
        )
        session = page.value(
            f"fetch('{server.url}/sessions', {asked % 'any'}).then(async (reply) => (await reply.json()).session_id)"
        )
        page.value(f"fetch('{server.url}/apps/numbers/sse', {asked % session}).then((reply) => reply.status)")
        url = f"{server.url}/apps/numbers/sse/stream?session_id={session}"
        heard, _ = page.value(event_source(url, ("result", "summary"), "heard.at(-1)?.[0] === 'summary'"))
    assert fetched == [200, "1024", "mine", True, "summary"]
    assert refused == 400
    assert [data["result"]["n"] for name, data in heard if name == "result"] == [0, 1, 2]
