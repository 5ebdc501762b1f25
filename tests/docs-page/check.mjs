// Opens /docs of a demo in Chromium and uses it as a person does. Fails on a request to another
// host, a violation of the page's Content-Security-Policy, an error in the console, or a try-it-out
// that does not answer.
//
//   DEMO_URL, DEMO_TOKEN   the demo
//   CHROMIUM               the browser
import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';

const { DEMO_URL, DEMO_TOKEN, CHROMIUM } = process.env;
const here = new URL(DEMO_URL);

const browser = await chromium.launch({
  executablePath: CHROMIUM,
  args: [
    '--no-sandbox',
    // No other host has an address, whoever asks.
    `--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE ${here.hostname}`,
  ],
});

const elsewhere = [];
const errors = [];
const requests = [];

async function opened() {
  const page = await browser.newPage();
  page.setDefaultTimeout(20_000);
  page.on('request', (request) => {
    requests.push(request.url());
    const url = new URL(request.url());
    if (!['data:', 'blob:'].includes(url.protocol) && url.origin !== here.origin) {
      elsewhere.push(request.url());
    }
  });
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => errors.push(`page: ${error.message}`));
  await page.exposeFunction('violated', (what) => errors.push(`violated: ${what}`));
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      globalThis.violated(`${event.effectiveDirective} by ${event.blockedURI}`);
    });
  });
  const answer = await page.goto(`${DEMO_URL}/docs`);
  assert.equal(answer.status(), 200);
  const policy = answer.headers()['content-security-policy'];
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /connect-src 'self'/);
  await page.locator('.swagger-ui .opblock').first().waitFor();
  return page;
}

async function tried(page, operationId) {
  const block = page.locator(`[id$="-${operationId}"]`);
  if (!(await block.locator('.try-out__btn').isVisible())) {
    await block.locator('.opblock-summary-control').click();
    await block.locator('.try-out__btn').click();
  }
  await block.locator('.execute').click();
  const answer = block.locator('.live-responses-table');
  await answer.locator('.response-col_status').last().waitFor();
  return answer;
}

try {
  const page = await opened();
  const document = await (await fetch(`${DEMO_URL}/openapi.json`)).json();
  // What receivers of webhooks are sent is shown below the API's own operations.
  const operations = [...Object.values(document.paths), ...Object.values(document.webhooks)]
    .flatMap((path) => Object.values(path))
    .filter((operation) => operation.operationId);
  assert.equal(await page.locator('.opblock').count(), operations.length);

  await page.locator('.btn.authorize').first().click();
  await page.locator('.auth-container input').fill(DEMO_TOKEN);
  await page.locator('.modal-btn.auth.authorize').click();
  await page.locator('.btn-done').click();

  const answer = await tried(page, 'getWhoami');
  assert.equal((await answer.locator('.response-col_status').last().innerText()).split('\n')[0], '200');
  const body = await answer.locator('.response-col_description').last().innerText();
  assert.match(body, /"role":\s*"admin"/);
  assert.deepEqual({ elsewhere, errors }, { elsewhere: [], errors: [] });
  console.log(
    `/docs: ${operations.length} operations shown, ${requests.length} requests, none to another host, `
      + 'no violation, no error; GET /v1/whoami tried out: 200',
  );

  // That nothing was seen counts only if something would have been.
  const reached = await page.evaluate(() =>
    fetch('https://example.com/').then(() => true, () => false));
  assert.equal(reached, false);
  await page.waitForFunction(() => true);
  assert.ok(errors.some((error) => error.startsWith('violated: connect-src')), errors.join('\n'));
  console.log('a request to another host is refused by the policy, and seen');
} finally {
  await browser.close();
}
