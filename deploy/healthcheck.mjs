// HEALTHCHECK of the image: exit 0 if the service in this container is ready. Without a port there is no service to ask (the command line).
const port = process.env.FIDELIS_HTTP_PORT;
if (port) {
  const url = `http://127.0.0.1:${port}/health/ready`;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(4_000) });
    if (!response.ok) {
      console.error(`${url}: ${response.status} ${await response.text()}`);
      process.exitCode = 1;
    }
  } catch (error) {
    console.error(`${url}: ${error.message}`);
    process.exitCode = 1;
  }
}
