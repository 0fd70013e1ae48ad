// The types of react.js.

import type { Message, RunState, StreamClient, StreamEvent, Summary } from "./client.js";

export interface StreamState {
  status: "idle" | "streaming" | "stopped" | "failed" | "complete" | "partial" | "cancelled";
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- what apps send is theirs
  results: any[];
  events: StreamEvent[];
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as it was sent
  progress: any;
  summary: Summary | null;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- what was thrown, or sent as an error
  error: any;
}

export interface StreamHook extends StreamState {
  isStreaming: boolean;
  start(app: string, message?: Message): Promise<void>;
  stop(): void;
  pause(): Promise<RunState> | undefined;
  resume(): Promise<RunState> | undefined;
  cancel(): Promise<RunState> | undefined;
}

export function useStream(client: StreamClient, options?: { limit?: number }): StreamHook;

export interface ChatMessage {
  role: "user" | "assistant";
  content: string;
}

export interface ChatHook {
  messages: ChatMessage[];
  currentResponse: string;
  isLoading: boolean;
  sendMessage(content: string): Promise<void>;
  cancel(): void;
}

export function useAIChat(client: StreamClient, app: string, textOf?: (event: StreamEvent) => string): ChatHook;
