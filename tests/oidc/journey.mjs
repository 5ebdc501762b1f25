// Tokens of the issuer, taken to the service.
import assert from 'node:assert/strict';

const { OIDC_ISSUER, OIDC_SECRET, OIDC_FLEET } = process.env;

const answers = async (url) => {
  for (let tries = 0; tries < 300; tries += 1) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.status === 200) return;
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error(`${url} does not answer`);
};

const token = async (resource, scope) => {
  const answer = await fetch(`${OIDC_ISSUER}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`portal:${OIDC_SECRET}`)}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', resource, scope }),
  });
  const body = await answer.json();
  assert.equal(answer.status, 200, JSON.stringify(body));
  return body.access_token;
};

const call = async (method, bearer) => {
  const answer = await fetch(`${OIDC_FLEET}/v1/accounts`, {
    method,
    headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
    body: method === 'POST' ? '{}' : undefined,
  });
  const body = await answer.json();
  return { status: answer.status, code: body.code, detail: body.detail };
};

await answers(`${OIDC_ISSUER}/.well-known/openid-configuration`);
await answers(`${OIDC_FLEET}/livez`);
let passed = 0;
const expect = async (what, bearer, method, status) => {
  const answer = await call(method, bearer);
  assert.equal(answer.status, status, `${what}: ${JSON.stringify(answer)}`);
  console.log(`${what}: ${status}${answer.code ? ` ${answer.code}` : ''}`);
  passed += 1;
};
for (const alg of ['RS256', 'ES256', 'EdDSA']) {
  const viewer = await token(`urn:fargate-fleet:${alg}`, 'fleet:viewer');
  const admin = await token(`urn:fargate-fleet:${alg}`, 'fleet:admin fleet:viewer');
  await expect(`${alg} viewer reads`, viewer, 'GET', 200);
  await expect(`${alg} viewer registers`, viewer, 'POST', 403);
  // Let in, and told what is missing in the body.
  await expect(`${alg} admin registers`, admin, 'POST', 422);
  const tampered = admin.replace(/\.[^.]+\./, `.${viewer.split('.')[1]}.`);
  await expect(`${alg} with another's claims`, tampered, 'GET', 401);
}
await expect('another audience', await token('urn:another:RS256', 'fleet:admin'), 'GET', 401);
await expect('no role', await token('urn:fargate-fleet:ES256', ''), 'GET', 401);
console.log(`${passed} passed`);
