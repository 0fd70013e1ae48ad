import http from "node:http";

// A server that answers as it is told; it is closed when the test ends.
export async function serving(context, answer) {
  const seen = [];
  const server = http.createServer((request, response) => {
    seen.push(request);
    request.resume();
    answer(request, response, seen.length);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  context.after(() => (server.closeAllConnections(), server.close()));
  return { baseUrl: `http://127.0.0.1:${server.address().port}`, seen };
}
