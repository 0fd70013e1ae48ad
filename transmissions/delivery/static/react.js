// Hooks for React over the client. `react` is what the page brings.

import { useCallback, useEffect, useRef, useState } from "react";

const EMPTY = { status: "idle", events: [], results: [], progress: null, summary: null, error: null };

/**
 * Return the state of a run and what can be done with it: `start(app, message)`, `stop`, `pause`, `resume`, `cancel`.
 *
 * `start` leaves the run before. At most `limit` events and results are kept, the latest. Leaving is no error.
 */
export function useStream(client, { limit = 1000 } = {}) {
  const [state, setState] = useState(EMPTY);
  const current = useRef(null);
  const stop = useCallback(() => current.current?.close(), []);
  useEffect(() => stop, [stop]);

  const start = useCallback(
    async (app, message = {}) => {
      stop();
      const stream = client.stream(app, message);
      current.current = stream;
      const change = (how) => current.current === stream && setState(how);
      change({ ...EMPTY, status: "streaming" });
      try {
        for await (const event of stream) change((before) => reduce(before, event, limit));
        change((before) => ({ ...before, status: before.summary?.status ?? "stopped" }));
      } catch (error) {
        change((before) => ({ ...before, status: "failed", error }));
      }
    },
    [client, limit, stop],
  );
  const act = (name) => () => current.current?.[name]();
  const control = { start, stop, pause: act("pause"), resume: act("resume"), cancel: act("cancel") };
  return { ...state, isStreaming: state.status === "streaming", ...control };
}

/** Return a chat: `messages`, the answer as it grows, and `sendMessage`. `textOf(event)` is what an event adds to it. */
export function useAIChat(client, app, textOf = (event) => event.result?.text ?? event.record?.text ?? "") {
  const [messages, setMessages] = useState([]);
  const [currentResponse, setCurrentResponse] = useState("");
  const [isLoading, setIsLoading] = useState(false);
  const current = useRef(null);
  const cancel = useCallback(() => current.current?.close(), []);
  useEffect(() => cancel, [cancel]);

  const sendMessage = useCallback(
    async (content) => {
      cancel();
      const asked = [...messages, { role: "user", content }];
      const stream = client.stream(app, { messages: asked });
      current.current = stream;
      setMessages(asked);
      setIsLoading(true);
      let answer = "";
      try {
        for await (const event of stream) setCurrentResponse((answer += textOf(event)));
      } finally {
        if (current.current === stream) {
          setMessages(answer ? [...asked, { role: "assistant", content: answer }] : asked);
          setCurrentResponse("");
          setIsLoading(false);
        }
      }
    },
    [client, app, messages, cancel, textOf],
  );
  return { messages, currentResponse, isLoading, sendMessage, cancel };
}

function reduce(before, event, limit) {
  const after = { ...before, events: [...before.events, event].slice(-limit) };
  if (event.event === "result") after.results = [...before.results, event.result].slice(-limit);
  if (event.event === "progress") after.progress = event;
  if (event.event === "result" && event.progress) after.progress = { ...before.progress, ...event.progress };
  if (event.event === "summary") after.summary = event;
  if (event.event === "error") after.error = event.error;
  return after;
}
