// The JavaScript client under Node; TRANS_URL is a server, TRANS_CUT the same behind a proxy that breaks connections.

import assert from "node:assert/strict";
import { test } from "node:test";
import { serving } from "./serving.mjs";

const at = process.env.TRANS_STATIC;
const { Backoff, BackpressureDetector, Disconnected, Frames, Lines, Refused, StreamClient, StreamErrorHandler, StreamMetrics, isRetryable } =
  await import(`${at}/client.js`);
const { EventMeshSSEClient, EventMeshStreamClient, EventMeshWebSocketClient, ReconnectingStreamClient, RipTideWebSocketClient } =
  await import(`${at}/eventmesh.js`);

const baseUrl = process.env.TRANS_URL;
const PROTOCOLS = ["ndjson", "sse", "websocket", ...(globalThis.EventSource ? ["eventsource"] : [])];
const quick = { maxRetries: 8, baseDelay: 5, maxDelay: 50 };
const path = "/apps/crawl";

async function read(stream) {
  const events = [];
  for await (const event of stream) events.push(event);
  return events;
}

const ndjson = (response, ...events) => {
  response.writeHead(200, { "Content-Type": "application/x-ndjson", "X-Request-ID": "r" });
  response.write(events.map((event) => `${JSON.stringify(event)}\n`).join(""));
};
const SUMMARY = { event: "summary", status: "complete", successful: 0, total_urls: 0 };

for (const protocol of PROTOCOLS) {
  test(`a run is a series of events, over ${protocol}`, async () => {
    const stream = new StreamClient({ baseUrl, protocol }).stream("numbers", { count: 5 });
    const events = await read(stream);
    assert.deepEqual(events.filter(({ event }) => event === "result").map(({ result }) => result.n), [0, 1, 2, 3, 4]);
    assert.deepEqual(events.filter(({ seq }) => seq).map(({ seq }) => seq), events.filter(({ seq }) => seq).map((_, at) => at + 1));
    assert.equal(stream.summary.status, "complete");
    assert.equal(stream.metrics.totalEvents, events.length);
  });

  test(`every result comes once and in order however often the connection breaks, over ${protocol}`, async () => {
    const count = Number(process.env.TRANS_RESULTS);
    const client = new StreamClient({ baseUrl: process.env.TRANS_CUT, protocol, ...quick });
    const stream = client.stream("numbers", { count });
    let next = 0;
    for await (const event of stream) {
      assert.notEqual(event.event, "reset");
      if (event.event === "result") assert.equal(event.result.n, next++);
    }
    assert.equal(next, count);
    assert.ok(stream.metrics.reconnects > 0);
  });

  test(`a run is paused, resumed and cancelled, over ${protocol}`, async () => {
    const stream = new StreamClient({ baseUrl, protocol }).stream("numbers", { count: 1000, wait: 0.01 });
    const states = [];
    for await (const event of stream) {
      if (event.event !== "result" || states.length) continue;
      for (const name of ["pause", "resume", "cancel"]) states.push((await stream[name]()).state);
    }
    assert.deepEqual(states, ["paused", "running", "cancelled"]);
    assert.equal(stream.summary.status, "cancelled");
  });

  test(`aborting is no error, over ${protocol}`, async () => {
    const abort = new AbortController();
    const stream = new StreamClient({ baseUrl, protocol }).stream("numbers", { count: 100000 }, { signal: abort.signal });
    let count = 0;
    for await (const _ of stream) if ((count += 1) === 3) abort.abort();
    assert.equal(count, 3);
    assert.equal(stream.summary, null);
  });

  test(`a connection that says nothing is made anew, over ${protocol}`, async () => {
    // A socket is asked whether it lives; this one is as if nobody were there to answer.
    class Mute extends WebSocket {
      send(text) {
        if (!text.includes("ping")) super.send(text);
      }
    }
    const client = new StreamClient({ baseUrl, protocol, heartbeat: 100, WebSocket: Mute, ...quick });
    const stream = client.stream("numbers", { count: 1, wait: 0.9 });
    const { results } = await stream.run();
    assert.equal(results.length, 1);
    assert.ok(stream.metrics.reconnects > 0);
  });
}

test("JS-01 callbacks are called with the events", async () => {
  const client = new EventMeshStreamClient({ baseUrl, path });
  const heard = [];
  for (const name of ["onMetadata", "onProgress", "onResult", "onSummary"]) client[name] = () => heard.push(name);
  assert.deepEqual([client.options.bufferSize, client.options.maxRetries, client.options.slowClientThreshold], [1024, 3, 100]);
  const metrics = await client.streamCrawlResults(["http://a", "http://b"], { concurrency: 3 });
  assert.deepEqual(new Set(heard), new Set(["onMetadata", "onProgress", "onResult", "onSummary"]));
  assert.deepEqual([metrics.eventsByType.result, metrics.dropRate], [2, 0]);
});

test("JS-02 a refusal has the status and what the server said, and is not tried again", async (context) => {
  const server = await serving(context, (_, response) => response.writeHead(400).end('{"error": {"message": "no urls"}}'));
  const client = new EventMeshStreamClient({ baseUrl: server.baseUrl });
  const refused = (error) => error instanceof Refused && error.status === 400 && error.message.includes("no urls") && error.body !== "";
  await assert.rejects(client.streamCrawlResults([]), refused);
  assert.equal(server.seen.length, 1);
});

test("JS-03 a handler that fails, and a line that cannot be read, are counted", async (context) => {
  const server = await serving(context, (_, response) => {
    ndjson(response, { event: "result", buffer_info: { used: 9, capacity: 10 } });
    response.end(`{broken\n${JSON.stringify(SUMMARY)}`);
  });
  const silent = context.mock.method(console, "error", () => {});
  const fail = () => { throw new Error("no"); };
  const client = new StreamClient({ baseUrl: server.baseUrl }).on("result", fail).on("summary", async () => fail());
  const stream = client.stream("a");
  await stream.run();
  assert.deepEqual([stream.metrics.dropRate, stream.metrics.parseErrors, stream.metrics.backpressureEvents], [1, 1, 1]);
  assert.equal(silent.mock.callCount(), 2);
});

test("JS-04 a crawl over Server-Sent Events ends with its summary, and nothing is asked for behind it", async () => {
  const client = new EventMeshSSEClient({ baseUrl, path });
  const summaries = [];
  client.onSummary = (event) => summaries.push(event);
  const stream = await client.startCrawlSSE(["http://a"]);
  await client.finished;
  assert.deepEqual([summaries.length, summaries[0].status, stream.metrics.reconnects], [1, "complete", 0]);
});

test("JS-05 JS-06 a crawl over a WebSocket can be named, paused and cancelled", async () => {
  const client = new EventMeshWebSocketClient(baseUrl.replace("http", "ws"), { path });
  await client.connect();
  const found = [];
  const work = client.crawl(Array(500).fill("http://a"), { wait: 0.01, onResult: (event) => found.push(event.result.url) });
  while (!found.length) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal((await client.pauseCrawl(work.requestId)).state, "paused");
  assert.equal((await client.resumeCrawl(work.requestId)).state, "running");
  await client.cancelCrawl(work.requestId);
  const { results, summary } = await work;
  assert.deepEqual([results.length, summary.status], [found.length, "cancelled"]);
  client.disconnect();
});

test("JS-07 handlers are by name, with one for all others, and several crawls at once keep apart", async () => {
  const client = new RipTideWebSocketClient(baseUrl.replace("http", "ws"), { path });
  const heard = new Set();
  client.on("result", () => heard.add("result"));
  client.on("*", (event) => heard.add(`*${event.event}`));
  const [one, two] = await Promise.all([client.crawl(["http://a"]), client.crawl(["http://b", "http://c"])]);
  assert.deepEqual([one.results.length, two.results.length], [1, 2]);
  assert.ok(heard.has("result") && heard.has("*metadata") && !heard.has("*result"));
});

test("T2-42 a server that gives no session is not waited for without end", async (context) => {
  const server = await serving(context, () => {});
  const client = new StreamClient({ baseUrl: server.baseUrl, protocol: "websocket", firstByteTimeout: 50, maxRetries: 0 });
  const error = await client.run("a").catch((one) => one);
  assert.ok(error instanceof Disconnected);
  assert.match(error.message, /nothing for too long/);
});

test("what can be no request is said at once, and why there is no connection", async () => {
  assert.throws(() => new StreamClient({ baseUrl: "localhost:8080" }), /'localhost:8080' is no URL of a server/);
  assert.throws(() => new StreamClient().stream("a", { n: 10n }), /BigInt/);
  const error = await new StreamClient({ baseUrl: "http://127.0.0.1:1", maxRetries: 0 }).run("a").catch((one) => one);
  assert.match(error.message, /broke: (connect ECONNREFUSED|bad port)/);
});

test("a refusal over a WebSocket is told", async () => {
  const error = await new StreamClient({ baseUrl, protocol: "websocket", ...quick, maxRetries: 1 }).run("nope").catch((one) => one);
  assert.ok(error instanceof Disconnected || error instanceof Refused);
});

for (const [protocol, name] of [["websocket", "WebSocket"], ["eventsource", "EventSource"]]) {
  test(`where there is no ${name} that is said, and nothing keeps the process`, async () => {
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
    const before = timers();
    const client = new StreamClient({ baseUrl, protocol, [name]: undefined });
    await assert.rejects(read(client.stream("numbers")), { name: "StreamError", message: new RegExp(`there is no ${name} here`) });
    assert.ok(timers() <= before);
  });
}

test("ER-15 ER-21 the wait doubles up to a bound, and is left to chance", () => {
  const backoff = new Backoff({ random: () => 0.5 });
  assert.deepEqual([1, 2, 3, 6, 9].map((attempt) => backoff.ceiling(attempt)), [1000, 2000, 4000, 30000, 30000]);
  assert.equal(backoff.delay(2), 1000);
  assert.equal(backoff.delay(1, 7000), 7500);
});

test("ER-16 ER-20 errors of connections may pass, faults of the request do not", () => {
  for (const name of ["NetworkError", "TimeoutError", "ConnectionError", "TemporaryFailure"]) {
    assert.ok(isRetryable(new Error(name)) && isRetryable(Object.assign(new Error("x"), { name })));
  }
  assert.ok(!isRetryable(new TypeError("no")) && !isRetryable(new Refused(404, {})));
  assert.ok(isRetryable(new Refused(429, {})) && isRetryable(new Refused(503, {})));
});

test("ER-17 ER-20 503 is tried again after what the server asks for, and the first success ends it", async (context) => {
  const server = await serving(context, (_, response, number) => {
    if (number < 3) response.writeHead(503, { "Retry-After": "0" }).end();
    else (ndjson(response, SUMMARY), response.end());
  });
  const stream = new StreamClient({ baseUrl: server.baseUrl, ...quick }).stream("a");
  assert.equal((await stream.run()).summary.status, "complete");
  assert.equal(new Set(server.seen.map(({ headers }) => headers["idempotency-key"])).size, 1);
});

test("SC-03 a run that is known no more is begun anew, which is told; one of somebody else's is not", async (context) => {
  const server = await serving(context, (request, response, number) => {
    if (number === 1) (ndjson(response, { event: "metadata", seq: 1 }, { event: "result", seq: 2 }), response.end());
    else if (request.method === "GET") response.writeHead(404).end();
    else (ndjson(response, { event: "metadata", seq: 1 }, { ...SUMMARY, seq: 2 }), response.end());
  });
  const client = new StreamClient({ baseUrl: server.baseUrl, ...quick });
  const events = await read(client.stream("a"));
  assert.deepEqual(events.map(({ event }) => event), ["metadata", "result", "reset", "metadata", "summary"]);
  assert.ok(server.seen.every(({ url }) => url.includes("session_id=session-")));
  await assert.rejects(read(client.follow("r")), (error) => error.status === 404);
});

test("SC-03 an EventSource that is refused because its run is known no more is begun anew", async (context) => {
  const asked = [];
  const server = await serving(context, (request, response) => {
    asked.push(`${request.method} ${request.url.split("?")[0]}`);
    if (request.url === "/sessions") response.end('{"session_id": "s"}');
    else if (request.method === "POST") response.writeHead(202).end('{"stream_url": "/here?session_id=s", "request_id": "r"}');
    else response.writeHead(404).end();
  });
  let made = 0;
  class Source extends EventTarget {
    constructor() {
      super();
      made += 1;
      this.readyState = made === 2 ? 2 : 1;
      setTimeout(() => (made === 2 ? this.onerror({}) : this.say()));
    }
    say() {
      const sent = [{ event: "metadata", seq: 1 }, made === 1 ? { event: "result", seq: 2 } : { ...SUMMARY, seq: 2 }];
      for (const one of sent) this.dispatchEvent(new MessageEvent(one.event, { data: JSON.stringify(one) }));
      this.onerror?.({});
    }
    close() {}
  }
  const client = new StreamClient({ baseUrl: server.baseUrl, protocol: "eventsource", EventSource: Source, ...quick });
  const events = await read(client.stream("a"));
  assert.deepEqual(events.map(({ event }) => event), ["metadata", "result", "reset", "metadata", "summary"]);
  assert.deepEqual(asked, ["POST /sessions", "POST /apps/a/sse", "GET /runs/r", "POST /apps/a/sse"]);
});

test("SC-03 a WebSocket that is refused because its run is known no more is begun anew, in another session", async (context) => {
  let sessions = 0;
  const server = await serving(context, (request, response) => {
    if (request.url === "/sessions") response.end(`{"session_id": "s${(sessions += 1)}"}`);
    else response.writeHead(404).end();
  });
  const urls = [];
  class Socket {
    readyState = 1;
    constructor(url) {
      urls.push(new URL(url).search);
      const isRefused = urls.length === 2;
      setTimeout(() => (isRefused ? this.onclose?.({ code: 1006 }) : this.onopen()));
    }
    send() {
      const sent = [{ event: "metadata", seq: 1 }, urls.length === 1 ? { event: "result", seq: 2 } : { ...SUMMARY, seq: 2 }];
      for (const data of sent) this.onmessage?.({ data: JSON.stringify({ message_type: data.event, data }) });
      this.onclose?.({ code: 1006 });
    }
    close() {}
  }
  const client = new StreamClient({ baseUrl: server.baseUrl, protocol: "websocket", WebSocket: Socket, ...quick });
  const events = await read(client.stream("a"));
  assert.deepEqual(events.map(({ event }) => event), ["metadata", "result", "reset", "metadata", "summary"]);
  assert.deepEqual(urls, ["?session_id=s1", "?session_id=s1", "?session_id=s2"]);
});

test("JS-05 a socket is pinged as often as the server is to say something", async () => {
  const sent = [];
  class Listened extends WebSocket {
    send(text) {
      sent.push(JSON.parse(text).action);
      super.send(text);
    }
  }
  assert.equal(new StreamClient().options.heartbeat, 30000);
  const client = new StreamClient({ baseUrl, protocol: "websocket", WebSocket: Listened, heartbeat: 100 });
  const { summary } = await client.run("numbers", { count: 3, wait: 0.4 });
  assert.equal(summary.status, "complete");
  assert.ok(sent.filter((action) => action === "ping").length >= 3);
  const count = sent.length;
  await new Promise((resolve) => setTimeout(resolve, 250));
  assert.equal(sent.length, count);
});

// Return a kind of socket that says something and is closed with a code, and how many were made.
function closing(code, ...said) {
  const made = [];
  class Socket {
    readyState = 1;
    constructor() {
      made.push(this);
      setTimeout(() => {
        for (const one of said) this.onmessage?.({ data: JSON.stringify(one) });
        this.onclose?.({ code });
      });
    }
    send() {}
    close() {}
  }
  return { made, Socket };
}

test("WS-20 a socket that was closed in good order is not opened again; any other is, so many times", async () => {
  for (const [code, times] of [[1000, 1], [1011, 4], [1006, 4]]) {
    const { made, Socket } = closing(code, { message_type: "metadata", data: { event: "metadata" } });
    const client = new StreamClient({ baseUrl, protocol: "websocket", WebSocket: Socket, ...quick, maxRetries: 3 });
    await assert.rejects(read(client.stream("a", {}, { sessionId: "s" })), /closed|ended/);
    assert.equal(made.length, times, String(code));
  }
  const { Socket } = closing(1000, { id: 1 }, { id: 2 });
  const client = new StreamClient({ baseUrl, protocol: "websocket", WebSocket: Socket });
  assert.deepEqual((await read(client.stream("a", {}, { sessionId: "s" }))).map(({ record }) => record.id), [1, 2]);
});

test("ER-18 ER-19 clients come back as often, and after as long, as is published", () => {
  const waits = (client) => [client.options.maxRetries, ...[1, 2, 3, 9].map((at) => new Backoff(client.options).ceiling(at))];
  assert.deepEqual(waits(new EventMeshSSEClient({ baseUrl }).client), [5, 1000, 2000, 4000, 30000]);
  assert.deepEqual(waits(new EventMeshWebSocketClient().client), [5, 2000, 4000, 8000, 30000]);
});

test("CM-03 work is done again while it may pass, so many times", async () => {
  const calls = [];
  const work = async () => { calls.push(1); throw new Error("NetworkError"); };
  await assert.rejects(new StreamErrorHandler({ baseDelay: 1 }).handleStreamWithRetry(work), /NetworkError/);
  await assert.rejects(new ReconnectingStreamClient(3, 1).streamWithRetry(work), /NetworkError/);
  assert.equal(calls.length, 3 + 4);
});

test("CM-01 CM-02 pressure is seen in the buffer and in the gaps; events are counted by type", () => {
  const levels = [];
  let now = 0;
  const detector = new BackpressureDetector((level) => levels.push(level), () => (now += 5100));
  for (let at = 0; at < 11; at += 1) detector.recordEvent({ event: "heartbeat" });
  for (const used of [80, 81, 96]) detector.recordEvent({ event: "progress", buffer_info: { used, capacity: 100 } });
  assert.deepEqual(levels, ["slow", "slow", "warning", "slow", "critical", "slow"]);
  const metrics = new StreamMetrics();
  metrics.record({ event: "error", error: { type: "T", message: "m" } }, 4);
  metrics.record({ event: "result", buffer_info: { used: 1, capacity: 4 } }, 2);
  const { avgProcessingTime, bufferStats, errorRate, eventsByType } = metrics.getMetrics();
  assert.deepEqual([avgProcessingTime, errorRate, bufferStats.avgUsage, eventsByType], [3, 0.5, 0.25, { error: 1, result: 1 }]);
});

test("PY-04 T2-26 lines and frames may be cut anywhere", () => {
  const fed = (reader, text) => [...[...text].flatMap((sign) => reader.feed(sign)), ...reader.end()];
  assert.deepEqual(fed(new Lines(), '\n{"event":"a"}\r\n{"event":"b"}').map(({ event }) => event.event), ["a", "b"]);
  for (const end of ["\n", "\r\n", "\r"]) {
    const frames = fed(new Frames(), [": x", "event: done", "id: 7", "data:[1,", "data: 2]", "", "data: cut"].join(end) + end);
    assert.deepEqual(frames, [{ event: { event: "done", record: [1, 2], seq: 7 }, isBare: true }]);
  }
});

test("bare records end with their stream", async (context) => {
  const server = await serving(context, (_, response) => (ndjson(response, { id: 1 }), response.end()));
  const events = await read(new StreamClient({ baseUrl: server.baseUrl }).stream("a"));
  assert.deepEqual(events, [{ event: "record", record: { id: 1 } }]);
});
