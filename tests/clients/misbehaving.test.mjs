// The JavaScript client under Node, against servers that answer what no good server does.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { serving } from "./serving.mjs";

const at = process.env.TRANS_STATIC;
const { Disconnected, Frames, Lines, Refused, StreamClient, StreamError } = await import(`${at}/client.js`);
const { EventMeshStreamClient } = await import(`${at}/eventmesh.js`);
const quick = { maxRetries: 2, baseDelay: 1, maxDelay: 2 };
const SUMMARY = { event: "summary", status: "complete", successful: 0 };
const META = { event: "metadata", seq: 1 };

function say(response, ...events) {
  response.writeHead(200, { "Content-Type": "application/x-ndjson", "X-Request-ID": "r" });
  response.end(events.map((event) => `${JSON.stringify(event)}\n`).join(""));
}

// Return the events of a run that is answered so, what it failed with, and how often it was asked for.
async function outcome(context, answer, options = {}) {
  const server = await serving(context, answer);
  const events = [];
  let failure = null;
  try {
    for await (const event of new StreamClient({ baseUrl: server.baseUrl, ...quick, ...options }).stream("a")) events.push(event);
  } catch (error) {
    failure = error;
  }
  return { events, names: events.map(({ event }) => event), failure, times: server.seen.length };
}

test("numbers that are none cost nothing", async (context) => {
  const odd = [{ event: "result", seq: "1" }, { event: "result", seq: -5 }, { event: "reset", first: "abc" }, { event: "reset" }];
  const more = [{ event: "result", seq: 1e30 }, { event: "progress", buffer_info: { used: "x", capacity: null } }];
  for (const event of [...odd, ...more, { event: "error", error: null }]) {
    const { failure, names } = await outcome(context, (_, response) => say(response, event, META, { ...SUMMARY, seq: 2 }));
    assert.deepEqual([failure, names], [null, [event.event, "metadata", "summary"]]);
  }
});

test("a page is no stream, and is not asked for again", async (context) => {
  const answer = (_, response) => response.writeHead(200, { "Content-Type": "text/html" }).end("<html>");
  const { failure, times } = await outcome(context, answer);
  assert.deepEqual([failure.name, times], ["StreamError", 1]);
  assert.match(failure.message, /'text\/html', which is no stream of events/);
});

test("a short answer that is no JSON is told as an error of streams, and one without end is not waited for", async (context) => {
  for (const body of ["<html>", "null", "[]", "{}"]) {
    const server = await serving(context, (_, response) => response.end(body));
    await assert.rejects(new StreamClient({ baseUrl: server.baseUrl }).apps(), StreamError);
  }
  const server = await serving(context, (_, response) => response.write("{"));
  const client = new StreamClient({ baseUrl: server.baseUrl, firstByteTimeout: 100 });
  await assert.rejects(client.apps(), /nothing for too long/);
});

test("a refusal without words says that there are none, and one without end is not waited for", async (context) => {
  const response = new Response("", { status: 404 });
  assert.match((await Refused.of(response)).message, /\(404\): no reason is given/);
  assert.equal((await Refused.of(new Response('{"error": {"retry_after_seconds": "x"}}', { status: 429 }))).retryAfter, 0);
  const { failure } = await outcome(context, (_, answer) => answer.writeHead(400).write("{"), { firstByteTimeout: 100 });
  assert.ok(failure instanceof Refused || failure instanceof Disconnected);
});

test("a server may say at which time to come back", async () => {
  const refused = (date) => Refused.of(new Response("{}", { status: 503, headers: { "Retry-After": date } }));
  assert.ok((await refused("Fri, 01 Jan 2100 00:00:00 GMT")).retryAfter > 1e9);
  assert.equal((await refused("Wed, 21 Oct 2015 07:28:00 GMT")).retryAfter, 0);
});

test("nothing is read behind a summary", async (context) => {
  assert.deepEqual((await outcome(context, (_, response) => say(response, SUMMARY, META, SUMMARY))).names, ["summary"]);
});

test("an unknown event without a number does not make a stream one of bare records", async (context) => {
  const { failure, names, times } = await outcome(context, (_, response) => say(response, META, { event: "something_new" }));
  assert.ok(failure instanceof Disconnected);
  assert.deepEqual([names.slice(0, 2), times], [["metadata", "something_new"], 3]);
});

test("a run that never gets further is given up, though it is begun anew each time", async (context) => {
  const { failure, times } = await outcome(context, (request, response) => {
    if (request.method === "GET") response.writeHead(404).end();
    else say(response, META, { event: "result", seq: 2 });
  });
  assert.ok(failure instanceof Disconnected);
  assert.ok(times < 10);
});

test("a gap that stays is given up, though heartbeats come in between", async (context) => {
  const { failure, times } = await outcome(context, (_, response) => say(response, { event: "heartbeat" }, META, { event: "result", seq: 3 }));
  assert.deepEqual([failure.message, times], ["event 2 did not come, but 3", 3]);
});

for (const protocol of ["ndjson", "sse", "eventsource", "websocket"]) {
  test(`no redirect is followed, over ${protocol}`, async (context) => {
    const other = await serving(context, (_, response) => response.end("{}"));
    const answer = (_, response) => response.writeHead(307, { Location: `${other.baseUrl}/x` }).end();
    const { failure, times } = await outcome(context, answer, { protocol, token: "T", EventSource: class {}, WebSocket: class {} });
    assert.deepEqual([failure.name, failure.status, times, other.seen.length], ["Refused", 307, 1, 0]);
  });
}

test("a page of http on another machine has no randomUUID, and can stream all the same", async (context) => {
  context.mock.method(crypto, "randomUUID", () => { throw new TypeError("crypto.randomUUID is not a function"); });
  const { failure, names } = await outcome(context, (_, response) => say(response, SUMMARY));
  assert.deepEqual([failure, names], [null, ["summary"]]);
  const server = await serving(context, (_, response) => say(response, SUMMARY));
  await new EventMeshStreamClient({ baseUrl: server.baseUrl }).streamCrawlResults([]);
  assert.match(server.seen[0].headers["x-session-id"], /^session-\d+-[0-9a-f]{32}$/);
});

test("a reader that takes its time keeps its connection", async (context) => {
  const server = await serving(context, (_, response) => {
    response.writeHead(200, { "Content-Type": "application/x-ndjson" });
    response.write(`${JSON.stringify(META)}\n`);
    setTimeout(() => response.end(`${JSON.stringify({ ...SUMMARY, seq: 2 })}\n`), 20);
  });
  const stream = new StreamClient({ baseUrl: server.baseUrl, heartbeat: 50, ...quick }).stream("a");
  for await (const event of stream) if (event.seq === 1) await new Promise((resolve) => setTimeout(resolve, 300));
  assert.deepEqual([stream.summary.status, stream.metrics.reconnects, server.seen.length], ["complete", 0, 1]);
});

test("a server waits for a reader that does not read, and the connection is closed when the reader leaves", async (context) => {
  let written = 0;
  let closed;
  const left = new Promise((resolve) => { closed = resolve; });
  const server = await serving(context, (_, response) => {
    response.writeHead(200, { "Content-Type": "application/x-ndjson" });
    response.on("close", closed);
    const line = `${JSON.stringify({ event: "result", result: "x".repeat(1 << 16) })}\n`;
    const pour = () => {
      while (written < 1000 && response.write(line)) written += 1;
      if (written < 1000) response.once("drain", pour);
    };
    response.write(`${JSON.stringify(META)}\n`);
    pour();
  });
  for await (const _ of new StreamClient({ baseUrl: server.baseUrl, ...quick }).stream("a")) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    break;
  }
  await left;
  assert.ok(written < 1000);
  assert.equal(server.seen.length, 1);
});

test("a message of a WebSocket that is no text is passed over", async () => {
  class Socket {
    readyState = 1;
    constructor() {
      setTimeout(() => {
        this.onopen();
        for (const data of [new Blob(["x"]), new ArrayBuffer(3), "{", JSON.stringify({ message_type: "summary", data: SUMMARY })]) {
          this.onmessage?.({ data });
        }
      });
    }
    send() {}
    close() {}
  }
  const client = new StreamClient({ baseUrl: "http://h", protocol: "websocket", WebSocket: Socket, ...quick });
  const { summary } = await client.stream("a", {}, { sessionId: "s" }).run();
  assert.equal(summary.status, "complete");
});

test("why a socket was closed is told", async () => {
  class Socket {
    constructor() {
      setTimeout(() => this.onclose({ code: 1008, reason: "because" }));
    }
    close() {}
  }
  const client = new StreamClient({ baseUrl: "http://h", protocol: "websocket", WebSocket: Socket, ...quick, maxRetries: 0 });
  await assert.rejects(client.stream("a", {}, { sessionId: "s" }).run(), /the socket was closed \(1008: because\)/);
});

test("a server below a path is asked there, on each protocol", async (context) => {
  const urls = [];
  class Source extends EventTarget {
    constructor(url) {
      super();
      urls.push(new URL(url).pathname);
      setTimeout(() => this.dispatchEvent(new MessageEvent("summary", { data: JSON.stringify(SUMMARY) })));
    }
    close() {}
  }
  class Socket {
    constructor(url) {
      urls.push(new URL(url).pathname);
      setTimeout(() => this.onmessage({ data: JSON.stringify({ message_type: "summary", data: SUMMARY }) }));
    }
    close() {}
  }
  const server = await serving(context, (request, response) => {
    urls.push(request.url.split("?")[0]);
    if (request.url.endsWith("/sessions")) response.end('{"session_id": "s"}');
    else if (request.headers.accept === "application/json") {
      response.writeHead(202).end('{"stream_url": "/apps/a/sse/stream?session_id=s", "request_id": "r"}');
    } else say(response, SUMMARY);
  });
  for (const protocol of ["ndjson", "eventsource", "websocket"]) {
    const baseUrl = `${server.baseUrl}/below/`.replace("http", "HTTP");
    const client = new StreamClient({ baseUrl, protocol, EventSource: Source, WebSocket: Socket, ...quick });
    assert.equal((await client.run("a")).summary.status, "complete");
  }
  assert.deepEqual(new Set(urls.map((url) => url.split("/")[1])), new Set(["below"]));
  assert.ok(urls.includes("/below/apps/a/sse/stream"));
});

for (const Reader of [Lines, Frames]) {
  test(`a large event is looked at once, by ${Reader.name}`, (context) => {
    let searched = 0;
    const split = String.prototype.split;
    context.mock.method(String.prototype, "split", function (...given) {
      searched += this.length;
      return split.apply(this, given);
    });
    const cut = new Reader();
    cut.feed('data: "'.slice(Reader === Lines ? 6 : 0));
    for (let turn = 0; turn < 2000; turn += 1) assert.deepEqual(cut.feed("x".repeat(1000)), []);
    const [found] = cut.feed('"\n\n');
    assert.equal(found.event.record, "x".repeat(2000000));
    assert.ok(searched < 20000000);
  });
}

test("a stream that was aborted before it began asks for nothing", async (context) => {
  const server = await serving(context, (_, response) => say(response, SUMMARY));
  for (const protocol of ["ndjson", "websocket", "eventsource"]) {
    const client = new StreamClient({ baseUrl: server.baseUrl, protocol });
    const stream = client.stream("a", {}, { signal: AbortSignal.abort() });
    for await (const event of stream) assert.fail(event.event);
  }
  assert.equal(server.seen.length, 0);
});

test("aborting ends a wait for the head of an answer, and one between two attempts", async (context) => {
  for (const [answer, options] of [[() => {}, {}], [(_, response) => response.writeHead(503).end(), { baseDelay: 60000, maxDelay: 60000 }]]) {
    const abort = new AbortController();
    const server = await serving(context, (...given) => (setTimeout(() => abort.abort(), 50), answer(...given)));
    const client = new StreamClient({ baseUrl: server.baseUrl, ...quick, ...options });
    for await (const event of client.stream("a", {}, { signal: abort.signal })) assert.fail(event.event);
  }
});

test("aborting ends a wait for a session", async (context) => {
  const abort = new AbortController();
  const server = await serving(context, () => setTimeout(() => abort.abort(), 50));
  const client = new StreamClient({ baseUrl: server.baseUrl, protocol: "websocket", WebSocket: class {}, ...quick });
  for await (const event of client.stream("a", {}, { signal: abort.signal })) assert.fail(event.event);
});

for (const name of ["client", "eventmesh", "react"]) {
  test(`the types of ${name} name what there is, and nothing else`, async () => {
    const types = await readFile(`${at}/${name}.d.ts`, "utf8");
    const text = await readFile(`${at}/${name}.js`, "utf8");
    const declared = [...types.matchAll(/^export (?:class|function) (\w+)/gm)].map(([, one]) => one);
    const made = [...text.matchAll(/^export (?:async )?(?:class|function) (\w+)/gm)].map(([, one]) => one);
    assert.deepEqual(declared.sort(), made.sort());
    if (name === "react") return; // it needs React
    const module = await import(`${at}/${name}.js`);
    for (const one of declared.filter((found) => module[found].prototype)) {
      const body = types.split(`export class ${one} `)[1]?.split("\n}")[0] ?? "";
      const own = Object.getOwnPropertyNames(module[one].prototype);
      const members = own.filter((member) => !["constructor", "name", "ask", "headers", "dispatch"].includes(member));
      for (const member of members) assert.match(body, new RegExp(`\\b${member}\\b`), `${one}.${member}`);
    }
  });
}
