// Takes the issuer's tokens to the service.
import assert from 'node:assert/strict';

const { OIDC_ISSUER, OIDC_SECRET, OIDC_FLEET } = process.env;
const ACCOUNT = '111111111111';
const PROFILES = `/v1/accounts/${ACCOUNT}/regions/eu-central-1/clusters/prod-1/fargate-profiles`;

const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });
const began = performance.now();
let passed = 0;
const saw = (what) => {
  passed += 1;
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  console.log(`${seconds.padStart(5)} s  ${what}`);
};

const until = async (what, holds, seconds) => {
  const end = performance.now() + seconds * 1000;
  while (!(await holds())) {
    assert.ok(performance.now() < end, `${what}: not within ${seconds} s`);
    await pause(200);
  }
};

// A token that the issuer gives a client for itself.
const token = async (client, { audience = 'fargate-fleet', alg = 'ES256' } = {}) => {
  const answer = await fetch(`${OIDC_ISSUER}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${client}:${OIDC_SECRET}`)}` },
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      resource: `urn:${audience}:${alg}`,
    }),
  });
  const body = await answer.json();
  assert.equal(answer.status, 200, JSON.stringify(body));
  return body.access_token;
};

const control = async (what) => (await fetch(`${OIDC_ISSUER}/_control/${what}`)).json();

const call = async (bearer, method, path, body) => {
  const answer = await fetch(`${OIDC_FLEET}${path}`, {
    method,
    headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
    body: body && JSON.stringify(body),
  });
  const json = await answer.json();
  const challenge = answer.headers.get('www-authenticate');
  return { ...json, status: answer.status, challenge };
};

const whoami = (bearer) => call(bearer, 'GET', '/v1/whoami');

const refused = async (what, bearer) => {
  const answer = await whoami(bearer);
  assert.equal(answer.status, 401, `${what}: ${JSON.stringify(answer)}`);
  assert.equal(answer.code, 'unauthenticated');
  assert.match(answer.challenge, /error="invalid_token"/);
  saw(`${what}: 401, ${answer.detail}`);
};

await until('the service is ready', async () => {
  const answer = await fetch(`${OIDC_FLEET}/readyz`).catch(() => undefined);
  return answer?.status === 200;
}, 60);
// It reads the keys at its start, and does not wait for them.
await until('the keys are read', async () => (await whoami(await token('admin'))).status === 200, 60);
assert.equal((await control('seen')).keysRead, 1);

const tokens = {};
for (const [role, accounts] of [['viewer', [ACCOUNT]], ['operator', [ACCOUNT]], ['admin']]) {
  for (const alg of ['RS256', 'EdDSA', 'ES256']) {
    const bearer = await token(role, { alg });
    const answer = await whoami(bearer);
    assert.deepEqual(
      [answer.status, answer.name, answer.role, answer.accountIds, answer.credential],
      [200, role, role, accounts, 'oidc'],
    );
    tokens[role] = bearer;
  }
  saw(`whoami, ${role} by RS256, EdDSA and ES256: ${role} on ${accounts ?? 'all accounts'}`);
}

const account = {
  accountId: ACCOUNT,
  name: 'payments',
  regions: ['eu-central-1'],
  podExecutionRoleARN: `arn:aws:iam::${ACCOUNT}:role/fargate-pod-execution`,
};
for (const role of ['viewer', 'operator']) {
  const answer = await call(tokens[role], 'POST', '/v1/accounts', account);
  const told = [answer.status, answer.code];
  assert.deepEqual(told, [403, 'permission_denied'], JSON.stringify(answer));
  saw(`${role} registers an account: 403`);
}
const registered = await call(tokens.admin, 'POST', '/v1/accounts', account);
assert.equal(registered.status, 201, JSON.stringify(registered));
saw('admin registers an account: 201');

const profile = { name: 'fp-oidc', selectors: [{ namespace: 'oidc' }] };
const denied = await call(tokens.viewer, 'POST', PROFILES, profile);
assert.deepEqual(
  [denied.status, denied.code],
  [403, 'permission_denied'],
  JSON.stringify(denied),
);
saw('viewer creates a profile: 403');
const job = await call(tokens.operator, 'POST', `${PROFILES}?waitSeconds=60`, profile);
assert.deepEqual(
  [job.status, job.state, job.requestedBy],
  [200, 'succeeded', 'operator'],
  JSON.stringify(job),
);
saw('operator creates a profile: 200, the job has succeeded');
const seen = await call(tokens.viewer, 'GET', `${PROFILES}/fp-oidc`);
assert.deepEqual([seen.status, seen.name], [200, 'fp-oidc'], JSON.stringify(seen));
saw('viewer reads it: 200');
const foreign = PROFILES.replace(ACCOUNT, '222222222222');
const hidden = await call(tokens.operator, 'POST', foreign, profile);
assert.deepEqual([hidden.status, hidden.code], [404, 'not_found'], JSON.stringify(hidden));
saw('operator creates one in an account that is not in its token: 404');

await refused('of another audience', await token('admin', { audience: 'another' }));
await refused('expired', await token('late'));
await refused('not yet valid', await token('early'));
await refused('without a role', await token('nobody'));
await refused('without an account', await token('homeless'));
const [head, , signature] = tokens.viewer.split('.');
await refused("with another's claims", [head, tokens.admin.split('.')[1], signature].join('.'));

assert.equal((await control('seen')).keysRead, 1);
await control('renew');
const renewed = await token('admin');
let early = 0;
await until('a token of the new key is taken', async () => {
  const { status } = await whoami(renewed);
  const { keysRead } = await control('seen');
  if (status === 200) return true;
  assert.deepEqual([status, keysRead], [401, 1]);
  early += 1;
  return false;
}, 60);
assert.equal((await control('seen')).keysRead, 2);
saw(`after a change of keys: taken, by one reading; ${early} came sooner than 30 s after the last: 401`);
assert.equal((await whoami(tokens.viewer)).status, 200);
saw('a token of the key before, which is still published: 200');

await control('renew');
const unknown = await token('admin');
const crowd = await Promise.all(Array.from({ length: 50 }, () => whoami(unknown)));
assert.deepEqual(crowd.map(({ status }) => status), Array.from(crowd, () => 401));
assert.equal((await control('seen')).keysRead, 2);
saw('50 at once with a key that is not known, right after a reading: 401, no reading');

await control('stop');
await until('the issuer is gone', () => fetch(OIDC_ISSUER).then(() => false, () => true), 10);
for (const bearer of [renewed, tokens.viewer, tokens.operator]) {
  assert.equal((await whoami(bearer)).status, 200);
}
saw('the issuer is stopped: the keys that are known go on working');
await refused('the issuer is stopped, and the key is not known', unknown);
console.log(`${passed} passed`);
