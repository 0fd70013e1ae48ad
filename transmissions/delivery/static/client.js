// Runs of a Transmissions server as events, over NDJSON, Server-Sent Events or WebSocket: for browsers and Node 20.
//
//   const client = new StreamClient({ baseUrl: "http://localhost:8080", token });
//   for await (const event of client.stream("hello", { name: "Ada" })) if (event.event === "result") console.log(event.result);
//
// A connection that breaks is closed, and made again after a while left to chance; the run goes on behind the last event that
// came: each comes once, in order. What the server has no longer is told as `reset`. Nothing is asked for behind `summary`.
//
// A server waits for a slow reader of NDJSON and of Server-Sent Events by fetch. A WebSocket and an EventSource take what comes,
// and it waits in memory.

const TRANSPORTS = { ndjson: openHttp, sse: openHttp, eventsource: openEventSource, websocket: openWebSocket };
const NAMES = new Set(
  "metadata progress result error output summary reset heartbeat ping system_status backpressure_warning".split(" "),
);

const SEARCHED = ["search_start", "search_results", "crawl_start", "search_result", "search_summary"];

/** A client of one server. */
export class StreamClient {
  #handlers = new Map();

  /**
   * `protocol` is ndjson, sse, eventsource or websocket; `token` is sent as `Authorization: Bearer`, and never in a URL.
   * Times are in milliseconds: `heartbeat` is how often the server sends something, and when nothing came for three of them
   * the connection is made anew. `bufferSize`, `enableBackpressure` and `slowClientThreshold` are asked of the server.
   * An EventSource hears only events whose names it knows; an app's own are named in `eventNames`.
   */
  constructor(options = {}) {
    this.options = {
      baseUrl: globalThis.location?.origin ?? "http://localhost:8080",
      protocol: "ndjson",
      token: "",
      maxRetries: 5,
      baseDelay: 1000,
      maxDelay: 30000,
      heartbeat: 30000,
      firstByteTimeout: 30000,
      fetch: (...given) => globalThis.fetch(...given),
      WebSocket: globalThis.WebSocket,
      EventSource: globalThis.EventSource,
      ...options,
    };
    this.options.baseUrl = located(this.options.baseUrl);
  }

  /** Have a function called, and waited for, with each event of a name; `*` is for those that have no other. */
  on(name, handler) {
    this.#handlers.set(name, handler);
    return this;
  }

  off(name) {
    this.#handlers.delete(name);
    return this;
  }

  /** Begin a run of an app when the first event is read. Further options: `signal`, `sessionId`, `key`, `protocol`. */
  stream(app, message = {}, options = {}) {
    return this.streamAt(`/apps/${encodeURIComponent(app)}`, message, options);
  }

  /** Begin a run at an endpoint: what has `/stream`, `/sse` and `/ws` below it. */
  streamAt(path, message = {}, options = {}) {
    return new Stream(this, { path, message, ...options });
  }

  /** Fetch pages: for each URL there is one `result` or one `error`, as soon as that is known. */
  crawl(urls, options = {}, { path = "/crawl", ...asked } = {}) {
    return this.streamAt(path, { urls, options }, asked);
  }

  /** Search the web, and fetch what is found. Options are `limit`, `include_content`, and those of the crawl in `crawl_options`. */
  deepSearch(query, options = {}, { path = "/deepsearch", ...asked } = {}) {
    return this.streamAt(path, { ...options, query }, { eventNames: SEARCHED, ...asked });
  }

  /** Follow a run that was begun before, from behind the event of a number. */
  follow(requestId, { since = 0, ...options } = {}) {
    return new Stream(this, { path: "", message: {}, requestId, since, hasBegun: true, ...options });
  }

  /** Run an app to its end, and return `{ results, summary }`. */
  async run(app, message = {}, options = {}) {
    return this.stream(app, message, options).run();
  }

  /** Pause, resume or cancel a run, and return its state. */
  control(requestId, action) {
    return this.ask("POST", `/runs/${encodeURIComponent(requestId)}/${action}`);
  }

  status(requestId) {
    return this.ask("GET", `/runs/${encodeURIComponent(requestId)}`);
  }

  async apps() {
    const { apps } = await this.ask("GET", "/apps");
    if (!Array.isArray(apps)) throw new StreamError("the server answered with no list of apps");
    return apps;
  }

  /** A name that stands for the token where none can be sent: for EventSource and WebSocket. */
  async session(signal) {
    return (await this.ask("POST", "/sessions", signal)).session_id;
  }

  ask(method, path, signal) {
    return fetched(this.options, this.options.baseUrl + path, { method, headers: this.headers(), signal }, answered);
  }

  headers() {
    return this.options.token ? { Authorization: `Bearer ${this.options.token}` } : {};
  }

  async dispatch(event) {
    const handler = this.#handlers.get(event.event) ?? this.#handlers.get("*");
    try {
      await handler?.(event);
    } catch (error) {
      console.error(`a handler of '${event.event}' failed:`, error);
      return false;
    }
    return true;
  }
}

// Where a server is, without a slash at the end; a page may say so relative to itself.
function located(baseUrl) {
  try {
    const url = new URL(baseUrl, globalThis.location?.href);
    if (/^https?:$/.test(url.protocol) && !url.username) return (url.origin + url.pathname).replace(/\/+$/, "");
  } catch {
    // That is said below.
  }
  throw new TypeError(`'${baseUrl}' is no URL of a server: it begins with http:// or https://`);
}

/** Return a name that nobody guesses. Pages that did not come over HTTPS have no `randomUUID`. */
export function newName() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** One run: an asynchronous iterable of events, to be read once. */
export class Stream {
  #client;
  #abort = new AbortController();
  #events = null;
  #isBare = false;
  #isEnveloped = false;
  #isMissing = false;
  #furthest = 0;

  constructor(client, asked) {
    const name = asked.requestId ?? newName();
    this.#client = client;
    this.asked = { key: name, sessionId: "", hasBegun: false, ...asked, body: JSON.stringify(asked.message) };
    this.options = { ...client.options, ...(asked.protocol ? { protocol: asked.protocol } : {}) };
    this.requestId = name;
    this.last = this.#furthest = asked.since ?? 0;
    this.summary = null;
    this.metrics = new StreamMetrics();
    follow(asked.signal, this.#abort);
  }

  get client() {
    return this.#client;
  }

  /** Fires when the run is left. */
  get signal() {
    return this.#abort.signal;
  }

  [Symbol.asyncIterator]() {
    this.#events ??= this.#read();
    return this.#events;
  }

  /** Read to the end, and return `{ results, summary }`. */
  async run() {
    const results = [];
    for await (const event of this) if (event.event === "result") results.push(event);
    return { results, summary: this.summary };
  }

  pause() {
    return this.#client.control(this.requestId, "pause");
  }

  resume() {
    return this.#client.control(this.requestId, "resume");
  }

  /** Have the run end; what is on its way still comes, and then a summary. */
  cancel() {
    return this.#client.control(this.requestId, "cancel");
  }

  /** Leave the run; the server ends it if nobody comes back for it. That is no error: the events just end. */
  close() {
    this.#abort.abort();
  }

  async *#read() {
    const backoff = new Backoff(this.options);
    let attempt = 0;
    try {
      while (!this.#isOver) {
        let failure = new Disconnected("the stream ended before its summary");
        try {
          for await (const event of this.#once()) {
            if (this.#getsOn(event)) attempt = 0;
            yield event;
          }
          if (this.#isBare) return;
          if (this.asked.wasClosed) failure = new StreamError("the server closed the socket in good order before the summary");
        } catch (error) {
          failure = error;
        }
        if (this.#isOver) return;
        attempt += 1;
        if (attempt > backoff.tries || !isRetryable(failure) || (this.#isBare && !this.last)) throw failure;
        await sleep(backoff.delay(attempt, failure.retryAfter), this.signal);
        this.metrics.reconnects += 1;
      }
    } finally {
      this.#abort.abort();
    }
  }

  // Whether something came that was not there before: what comes anew behind a reset is no way forward.
  #getsOn({ event, seq }) {
    if (whole(seq) > this.#furthest) {
      this.#furthest = seq;
      this.#isMissing = false;
      return true;
    }
    return event === "heartbeat" && !this.#isMissing;
  }

  get #isOver() {
    return this.summary !== null || this.signal.aborted;
  }

  // What comes over one connection; it is closed before another is made.
  async *#once() {
    const open = TRANSPORTS[this.options.protocol];
    if (!open) throw new StreamError(`there is no protocol '${this.options.protocol}'`);
    for await (const arrived of open(this, this.signal)) {
      if (this.signal.aborted) return;
      if (arrived.broken !== undefined) this.metrics.parseErrors += 1;
      else if (this.#isNew(arrived)) {
        await this.#count(arrived.event);
        yield arrived.event;
        if (this.summary) return;
      }
    }
  }

  async #count(event) {
    const began = performance.now();
    const wasHandled = await this.#client.dispatch(event);
    this.metrics.record(event, performance.now() - began, wasHandled);
  }

  #isNew({ event, isBare }) {
    const seq = whole(event.seq);
    if (!this.#isEnveloped && (isBare || (!seq && !NAMES.has(event.event)))) {
      this.#isBare = true;
      this.last = seq || this.last;
      return true;
    }
    if (event.event === "reset") {
      this.last = (whole(event.first) || 1) - 1;
      this.metrics.resets += 1;
      return true;
    }
    // What a newer server says besides does not make the rest a stream that may end anywhere.
    this.#isEnveloped ||= seq > 0 || event.event === "metadata";
    if (!this.#follows(seq)) return false;
    if (event.event === "summary") this.summary = event;
    return true;
  }

  #follows(seq) {
    if (seq && seq <= this.last) {
      this.metrics.duplicates += 1;
      return false;
    }
    // An EventSource does not hear events whose names it does not know.
    if (seq > this.last + 1 && this.options.protocol !== "eventsource") {
      this.#isMissing = true;
      throw new Disconnected(`event ${this.last + 1} did not come, but ${seq}`);
    }
    this.last = seq || this.last;
    return true;
  }
}

// A number of an event; 0 for whatever else stands there, for a server may say anything.
function whole(value) {
  return Number.isSafeInteger(value) && value > 0 ? value : 0;
}

function follow(signal, abort) {
  if (signal?.aborted) abort.abort();
  signal?.addEventListener("abort", () => abort.abort(), { once: true, signal: abort.signal });
}

// --- The connections of a run: each is an asynchronous generator of what arrives, and closes itself when it is left.

const MISSED = 3;
const GOOD_ORDER = 1000; // of a socket that is closed: the server has said all it had to
const REFUSED = 2; // of an EventSource: it was told so, and comes no more

/** NDJSON or Server-Sent Events by fetch. What broke off is asked for again by the name of the run. */
async function* openHttp(stream, signal) {
  const abort = new AbortController();
  const idle = new Idle(stream.options.firstByteTimeout, () => abort.abort());
  const leave = () => abort.abort();
  signal.addEventListener("abort", leave, { once: true });
  try {
    let response = await ask(stream, abort.signal);
    if (response === null) {
      // The server that had the run is lost, or has forgotten it: another begins it anew.
      yield { event: { event: "reset", since: stream.last, first: 1, last: 0 } };
      response = await ask(stream, abort.signal);
    }
    if (response.status === 204) throw new Refused(204, { message: "the run has ended, and there is no more of it" });
    idle.begin(stream.options.heartbeat * MISSED);
    const [kind] = (response.headers.get("Content-Type") ?? "").split(";");
    if (kind.trim() === "text/html") throw new StreamError(`the server answered with '${kind}', which is no stream of events`);
    yield* decoded(response.body.getReader(), kind.includes("event-stream") ? new Frames() : new Lines(), idle);
  } catch (error) {
    if (signal.aborted) return;
    if (error instanceof StreamError || error instanceof RangeError) throw error;
    throw new Disconnected(why(error, idle), { cause: error });
  } finally {
    idle.end();
    signal.removeEventListener("abort", leave);
    abort.abort();
  }
}

async function* decoded(reader, cut, idle) {
  const decoder = new TextDecoder();
  for (;;) {
    const { done, value } = await reader.read();
    idle.end(); // whoever takes his time with what came does not wait for the server
    if (done) break;
    yield* cut.feed(decoder.decode(value, { stream: true }));
    idle.begin();
  }
  yield* cut.feed(decoder.decode());
  yield* cut.end();
}

// Null where a run that was begun here is known no more; asked again, it is begun anew.
async function ask(stream, signal) {
  const { asked, options, client, last } = stream;
  const isSse = options.protocol === "sse";
  const headers = { ...client.headers(), Accept: isSse ? "text/event-stream" : "application/x-ndjson" };
  const query = new URLSearchParams();
  // By the session a balancer can send all that belongs together to one server.
  if (!asked.hasBegun) asked.sessionId ||= `session-${stream.requestId}`;
  if (asked.sessionId) query.set("session_id", asked.sessionId);
  if (last) query.set("since", last);
  if (last && isSse) headers["Last-Event-ID"] = String(last);
  const begun = `/runs/${encodeURIComponent(stream.requestId)}/stream`;
  const url = `${options.baseUrl}${asked.hasBegun ? begun : asked.path + (isSse ? "/sse" : "/stream")}?${query}`;
  const request = { ...body(stream), headers: { ...headers, ...wishes(stream) }, signal, cache: "no-store" };
  const response = await options.fetch(url, { ...request, redirect: "manual" });
  if (response.status === 404 && asked.hasBegun && asked.path) {
    asked.hasBegun = false;
    return null;
  }
  if (!response.ok) throw await Refused.of(response);
  stream.requestId = response.headers.get("X-Request-ID") ?? stream.requestId;
  asked.hasBegun = true;
  stream.opened?.(response);
  return response;
}

function body({ asked }) {
  return asked.hasBegun ? { method: "GET" } : { method: "POST", body: asked.body };
}

// If the answer to a first request is lost, the key has the next one be to the same run.
function wishes({ asked, options, requestId }) {
  if (asked.hasBegun) return {};
  const wished = {
    "Content-Type": "application/json",
    "Idempotency-Key": asked.key,
    "X-Request-ID": requestId,
    "X-Session-ID": asked.sessionId,
    "X-Buffer-Size": options.bufferSize,
    "X-Enable-Backpressure": options.enableBackpressure,
    "X-Slow-Client-Threshold": options.slowClientThreshold,
  };
  const said = Object.entries(wished).filter(([, value]) => value !== undefined && value !== "");
  return Object.fromEntries(said.map(([name, value]) => [name, String(value)]));
}

/** Server-Sent Events by EventSource: a session stands for the token. Ours is closed before another is made. */
async function* openEventSource(stream, signal) {
  const { asked, options } = stream;
  const EventSource = found(options, "EventSource");
  if (asked.wasRefused && (await isForgotten(stream, signal))) {
    yield { event: { event: "reset", since: stream.last, first: 1, last: 0 } };
    asked.streamUrl = "";
  }
  if (!asked.streamUrl) await beginSession(stream, signal);
  const url = new URL(asked.streamUrl);
  if (stream.last) url.searchParams.set("since", stream.last);
  const source = new EventSource(url.href);
  const inbox = new Inbox(options.heartbeat * MISSED, signal);
  const take = ({ data, type, lastEventId }) => {
    // EventSource calls its own faults `error`, too; only those that were sent have data.
    if (data !== undefined) inbox.push(read(data, type === "message" ? "" : type, Number(lastEventId) || 0));
  };
  const own = [...(options.eventNames ?? []), ...(asked.eventNames ?? [])];
  for (const name of ["message", ...NAMES, ...own]) source.addEventListener(name, take);
  source.onerror = (event) => {
    if (event.data !== undefined) return;
    asked.wasRefused = source.readyState === REFUSED;
    inbox.fail(new Disconnected("the EventSource lost its connection"));
  };
  try {
    yield* inbox;
  } finally {
    source.close();
    inbox.end();
  }
}

// What an EventSource or a WebSocket was told is not said. Asked by fetch, the server may say that it knows of no such run.
async function isForgotten({ asked, options, client, requestId }, signal) {
  const url = `${options.baseUrl}/runs/${encodeURIComponent(requestId)}?${new URLSearchParams({ session_id: asked.sessionId })}`;
  return fetched(options, url, { headers: client.headers(), signal }, ({ status }) => status === 404);
}

async function beginSession(stream, signal) {
  const { asked, options, client, requestId } = stream;
  asked.sessionId ||= await client.session(signal);
  const headers = { ...client.headers(), ...wishes({ asked, options, requestId }), Accept: "application/json" };
  const request = { method: "POST", headers, body: asked.body, signal };
  const begun = await fetched(options, `${options.baseUrl}${asked.path}/sse`, request, answered);
  // The server says where as it sees itself, which may be below a path of which it does not know.
  asked.streamUrl = `${options.baseUrl}${asked.path}/sse/stream${new URL(String(begun.stream_url), options.baseUrl).search}`;
  stream.requestId = begun.request_id ?? requestId;
}

// Browsers have both; Node has a WebSocket from 22 on, and an EventSource where `--experimental-eventsource` says so.
function found(options, name) {
  if (typeof options[name] === "function") return options[name];
  throw new StreamError(`there is no ${name} here: give one as the option '${name}'`);
}

/** One run on a socket of its own. */
async function* openWebSocket(stream, signal) {
  const { asked, options, client } = stream;
  const WebSocket = found(options, "WebSocket");
  if (asked.wasRefused && stream.last && (await isForgotten(stream, signal))) {
    yield { event: { event: "reset", since: stream.last, first: 1, last: 0 } };
    asked.sessionId = "";
  }
  // Browsers send no token with a WebSocket. The session is also what a run is known by when the socket is made again.
  asked.sessionId ||= await client.session(signal);
  const query = new URLSearchParams({ session_id: asked.sessionId });
  const socket = new WebSocket(`${options.baseUrl.replace(/^http/, "ws")}${asked.path}/ws?${query}`);
  const inbox = new Inbox(options.heartbeat * MISSED, signal);
  asked.wasRefused = true;
  socket.onopen = () => {
    asked.wasRefused = false;
    const since = stream.last ? { since: stream.last } : {};
    socket.send(JSON.stringify({ action: "run", request_id: stream.requestId, data: asked.message, ...since }));
  };
  // Browsers send no pings of the protocol. The answer says that the server lives, though its run says nothing for long.
  const ping = setInterval(() => socket.readyState === 1 && socket.send('{"action":"ping"}'), options.heartbeat);
  socket.onmessage = ({ data }) => hear(data, inbox);
  socket.onclose = ({ code, reason }) => {
    asked.wasClosed = code === GOOD_ORDER;
    inbox.fail(new Disconnected(`the socket was closed (${code}${reason ? `: ${reason}` : ""})`));
  };
  // Not every implementation closes a socket that could not be opened.
  socket.onerror = () => inbox.fail(new Disconnected("the socket failed"));
  try {
    yield* inbox;
  } catch (error) {
    if (!asked.wasClosed) throw error;
  } finally {
    clearInterval(ping);
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.onerror = () => {};
    socket.close(1000);
    inbox.end();
  }
}

function hear(text, inbox) {
  if (typeof text !== "string") return inbox.push([]);
  const [arrived] = read(text);
  const message = arrived?.event;
  if (!arrived?.isBare || !message.record?.message_type) return inbox.push(arrived ? [arrived] : []);
  const { message_type: kind, data } = message.record;
  if (typeof data?.event === "string") return inbox.push([{ event: data }]);
  if (kind === "error") return inbox.fail(new Refused(0, data?.error ?? data ?? {}));
  if (kind === "detached") return inbox.fail(new Disconnected(`the server sends no more over this socket: ${data.reason}`));
  return inbox.push([]);
}

/** What arrives while nobody waits for it; ends with an error, or when a signal fires. */
class Inbox {
  #waiting = [];
  #error = null;
  #wake = () => {};
  #idle;
  #signal;
  #leave = () => this.#wake();

  constructor(patience, signal) {
    this.#signal = signal;
    signal.addEventListener("abort", this.#leave);
    this.#idle = new Idle(patience, () => this.fail(new Disconnected("the server sent nothing for too long")));
  }

  push(arrived) {
    this.#idle.begin();
    for (const one of arrived) this.#waiting.push(one); // not push(...): there may be very many
    this.#wake();
  }

  fail(error) {
    this.#error ??= error;
    this.#wake();
  }

  end() {
    this.#idle.end();
    this.#signal.removeEventListener("abort", this.#leave);
  }

  async *[Symbol.asyncIterator]() {
    while (!this.#signal.aborted) {
      const ready = this.#waiting;
      this.#waiting = [];
      yield* ready;
      if (this.#waiting.length || this.#signal.aborted) continue;
      if (this.#error) throw this.#error;
      await new Promise((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

/** Does something when nothing happened for a while. */
class Idle {
  #timer = null;

  constructor(patience, act) {
    this.patience = patience;
    this.act = act;
    this.hasFired = false;
    this.begin();
  }

  begin(patience = this.patience) {
    this.end();
    this.patience = patience;
    this.#timer = setTimeout(() => {
      this.hasFired = true;
      this.act();
    }, patience);
  }

  end() {
    clearTimeout(this.#timer);
  }
}

/** Fetch a short answer, and return what is read of it; neither is waited for without end. */
async function fetched(options, url, { signal, ...request }, read) {
  const abort = new AbortController();
  const idle = new Idle(options.firstByteTimeout, () => abort.abort());
  follow(signal, abort);
  try {
    return await read(await options.fetch(url, { ...request, signal: abort.signal, redirect: "manual" }));
  } catch (error) {
    if (error instanceof StreamError) throw error;
    throw new Disconnected(why(error, idle), { cause: error });
  } finally {
    idle.end();
    abort.abort();
  }
}

async function answered(response) {
  if (!response.ok) throw await Refused.of(response);
  const text = await response.text();
  try {
    const answer = JSON.parse(text);
    if (answer !== null && typeof answer === "object") return answer;
  } catch {
    // That is said below.
  }
  throw new StreamError("the server answered with what is no JSON object");
}

function why(error, idle) {
  // Node says of every failure that the fetch failed, and of a name with several addresses nothing but a code.
  const { message, code } = error.cause ?? {};
  return idle.hasFired ? "the server sent nothing for too long" : `the connection to the server broke: ${message || code || error.message}`;
}

// --- What comes over a connection, cut into events. Text may come in pieces of any size, and be cut anywhere.

const LARGEST = 64 * 1024 * 1024;

/** Reads NDJSON: `feed` returns the events that are complete with some more text, `end` what came behind the last line feed. */
export class Lines {
  #rest = new Rest();

  feed(text) {
    const lines = text.split("\n");
    lines[0] = this.#rest.with(lines[0], lines.length > 1);
    this.#rest.keep(lines.pop());
    return lines.flatMap((line) => read(line));
  }

  end() {
    return read(this.#rest.with("", true));
  }
}

// What came of a line whose end did not: pieces, so that those before are not looked at again with each that comes.
class Rest {
  #pieces = [];
  #size = 0;

  /** Return a piece with all before it where that is the end of a line, and else as it is. */
  with(piece, isEnd) {
    if (!isEnd || !this.#pieces.length) return piece;
    const whole = this.#pieces.join("") + piece;
    this.#pieces = [];
    this.#size = 0;
    return whole;
  }

  keep(piece) {
    this.#size += piece.length;
    if (this.#size > LARGEST) throw new RangeError(`an event is larger than ${LARGEST} characters`);
    if (piece) this.#pieces.push(piece);
  }
}

/** Reads Server-Sent Events as the standard has them: any line end, a space or none, data on several lines. */
export class Frames {
  #rest = new Rest();
  #held = "";
  #size = 0;
  #data = [];
  #event = "";
  #seq = 0;

  feed(text) {
    const all = this.#held + text;
    this.#held = all.endsWith("\r") ? "\r" : ""; // it may be half of a line end
    const lines = all.slice(0, all.length - this.#held.length).split(/\r\n|\n|\r/);
    lines[0] = this.#rest.with(lines[0], lines.length > 1);
    this.#rest.keep(lines.pop());
    return lines.flatMap((line) => this.#line(line));
  }

  end() {
    return []; // a frame without its blank line is none
  }

  #line(line) {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") this.#keep(value);
    if (field === "event") this.#event = value;
    if (field === "id" && /^\d{1,15}$/.test(value)) this.#seq = Number(value);
    return [];
  }

  #keep(value) {
    this.#size += value.length + 1;
    if (this.#size > LARGEST) throw new RangeError(`an event is larger than ${LARGEST} characters`);
    this.#data.push(value);
  }

  #dispatch() {
    const found = read(this.#data.join("\n"), this.#event, this.#seq);
    this.#data = [];
    this.#event = "";
    this.#seq = 0;
    this.#size = 0;
    return found;
  }
}

/** Return the event a text is, in a list; `{broken}` if it is no JSON, and nothing if it is blank. */
function read(text, name = "", seq = 0) {
  if (!text.trim()) return [];
  try {
    return [named(JSON.parse(text), name, seq)];
  } catch {
    return [{ broken: text.slice(0, 100) }];
  }
}

// A bare record has no name of its own; the protocol may tell one, and a number.
function named(data, name, seq) {
  if (data !== null && typeof data === "object" && typeof data.event === "string") return { event: data };
  return { event: { event: name || "record", record: data, ...(seq ? { seq } : {}) }, isBare: true };
}

// --- What goes wrong between a client and a server, and how long to wait before trying again.

const PASSING = ["NetworkError", "TimeoutError", "ConnectionError", "TemporaryFailure"];
const LONGEST = 300000;

/** Base of them. */
export class StreamError extends Error {
  isRetryable = false;
  retryAfter = 0;

  get name() {
    return this.constructor.name;
  }
}

/** A connection could not be made, broke, or stood still for too long. */
export class Disconnected extends StreamError {
  isRetryable = true;
}

/** The server answered that it will not. `told` is what it said; `status` is 0 where it said so over a WebSocket. */
export class Refused extends StreamError {
  constructor(status, told, retryAfter = null, body = "") {
    super(`${status ? `the server refused (${status})` : "the server refused"}: ${told.message || "no reason is given"}`);
    this.status = status;
    this.told = told;
    this.body = body;
    const seconds = retryAfter ?? told.retry_after_seconds;
    this.retryAfter = Number.isFinite(seconds) ? Math.max(0, 1000 * seconds) : 0;
    const canPass = status ? status === 429 || status >= 500 : told.retryable === true;
    this.isRetryable = canPass && told.retryable !== false;
  }

  /** Return what an answer refuses. */
  static async of(response) {
    const body = await response.text().catch(() => "");
    let told = {};
    try {
      const { error } = JSON.parse(body);
      told = typeof error === "string" ? { message: error } : error;
    } catch {
      // The status says enough.
    }
    if (response.type === "opaqueredirect") told = { message: "it redirects, which is not followed" };
    const seconds = waitOf(response.headers.get("Retry-After") ?? "");
    return new Refused(response.status, { message: response.statusText, ...told }, seconds, body);
  }
}

// How many seconds to wait, of what may be a date; null if it is neither.
function waitOf(asked) {
  if (/^\d+$/.test(asked)) return Number(asked);
  const at = asked ? Date.parse(asked) : NaN;
  return Number.isNaN(at) ? null : Math.max(0, (at - Date.now()) / 1000);
}

/** Waits that grow, left to chance, so that not all clients of a server come back at once. Milliseconds. */
export class Backoff {
  constructor({ maxRetries = 5, baseDelay = 1000, maxDelay = 30000, random = Math.random } = {}) {
    this.tries = maxRetries;
    this.base = baseDelay;
    this.cap = maxDelay;
    this.random = random;
  }

  /** How long to wait at most before an attempt; the first is 1. */
  ceiling(attempt) {
    return Math.min(this.base * 2 ** (attempt - 1), this.cap);
  }

  /** How long to wait: anything up to the ceiling, or what the server asks for and a little more. */
  delay(attempt, retryAfter = 0) {
    if (retryAfter > 0) return Math.min(retryAfter, LONGEST) + this.random() * Math.min(1000, this.base);
    return this.random() * this.ceiling(attempt);
  }
}

/** Whether trying again may help. */
export function isRetryable(error) {
  if (typeof error.isRetryable === "boolean") return error.isRetryable;
  return PASSING.some((name) => error.name === name || String(error.message).includes(name));
}

/** Calls a function again while what it fails with may pass. */
export class StreamErrorHandler {
  constructor({ maxRetries = 3, baseDelay = 1000, maxDelay = 30000, random = Math.random } = {}) {
    this.backoff = new Backoff({ maxRetries, baseDelay, maxDelay, random });
  }

  isRetryableError(error) {
    return isRetryable(error);
  }

  /** `maxRetries` counts the first call, too. */
  async handleStreamWithRetry(work, ...given) {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await work(...given);
      } catch (error) {
        if (attempt >= this.backoff.tries || !isRetryable(error)) throw error;
        await sleep(this.backoff.delay(attempt, error.retryAfter));
      }
    }
  }
}

/** Wait, or until a signal fires. */
function sleep(milliseconds, signal = null) {
  return new Promise((resolve) => {
    const timer = setTimeout(done, milliseconds);
    signal?.addEventListener("abort", done, { once: true });
    function done() {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    }
  });
}

// --- What a client measures of a run, and when it should worry.

const WARNING = 0.8;
const CRITICAL = 0.95;
const SLOW = 5000;
const GAPS = 10;

/** How full the buffer is that an event tells of, from 0 to 1; null if it tells of none. */
function usageOf(event) {
  const info = event.buffer_info;
  if (!info) return null;
  return whole(info.used ?? info.current_size) / (whole(info.capacity) || 1);
}

/** Counts of one run. */
export class StreamMetrics {
  constructor() {
    this.reset();
  }

  reset() {
    Object.assign(this, {
      totalEvents: 0,
      droppedEvents: 0,
      parseErrors: 0,
      errorCount: 0,
      backpressureEvents: 0,
      reconnects: 0,
      duplicates: 0,
      resets: 0,
      avgProcessingTime: 0,
      eventsByType: {},
      errors: [],
      startTime: null,
      endTime: null,
      bufferStats: { maxUsage: 0, avgUsage: 0, flushes: 0 },
    });
  }

  /** Count an event, how long its handler took in milliseconds, and whether it failed. */
  record(event, milliseconds = 0, wasHandled = true) {
    this.startTime ??= Date.now();
    this.totalEvents += 1;
    this.droppedEvents += wasHandled ? 0 : 1;
    this.eventsByType[event.event] = (this.eventsByType[event.event] ?? 0) + 1;
    this.avgProcessingTime += (milliseconds - this.avgProcessingTime) / this.totalEvents;
    if (event.event === "backpressure_warning") this.backpressureEvents += 1;
    if (event.event === "summary") this.endTime = Date.now();
    if (event.event === "error") {
      this.errors.push({ type: event.error?.type, message: event.error?.message ?? event.message, timestamp: Date.now() });
      this.errors.splice(0, this.errors.length - 100);
      this.errorCount += 1;
    }
    this.#recordUsage(usageOf(event));
  }

  #recordUsage(usage) {
    if (usage === null) return;
    const stats = this.bufferStats;
    stats.flushes += 1;
    stats.maxUsage = Math.max(stats.maxUsage, usage);
    stats.avgUsage += (usage - stats.avgUsage) / stats.flushes;
    if (usage > WARNING) this.backpressureEvents += 1;
  }

  get dropRate() {
    return this.totalEvents ? this.droppedEvents / this.totalEvents : 0;
  }

  getMetrics() {
    const duration = this.startTime === null ? 0 : (this.endTime ?? Date.now()) - this.startTime;
    return {
      duration,
      totalEvents: this.totalEvents,
      eventsPerSecond: duration ? this.totalEvents / (duration / 1000) : 0,
      eventsByType: this.eventsByType,
      avgProcessingTime: this.avgProcessingTime,
      errorRate: this.totalEvents ? this.errorCount / this.totalEvents : 0,
      errors: this.errors,
      bufferStats: this.bufferStats,
      dropRate: this.dropRate,
    };
  }
}

/** Looks at the latest 100 arrivals and at what the server says of its buffer; calls `onBackpressure(level, info)`. */
export class BackpressureDetector {
  constructor(onBackpressure = () => {}, now = Date.now) {
    this.eventTimestamps = [];
    this.onBackpressure = onBackpressure;
    this.now = now;
  }

  recordEvent(event) {
    this.eventTimestamps.push(this.now());
    if (this.eventTimestamps.length > 100) this.eventTimestamps.shift();
    const usage = usageOf(event) ?? 0;
    if (usage > CRITICAL) this.onBackpressure("critical", event.buffer_info);
    else if (usage > WARNING) this.onBackpressure("warning", event.buffer_info);
    const first = this.eventTimestamps.at(-1 - GAPS);
    const avgInterval = first === undefined ? 0 : (this.eventTimestamps.at(-1) - first) / GAPS;
    if (avgInterval > SLOW) this.onBackpressure("slow", { avgInterval });
  }
}
