// An OpenID Connect provider that was not written here (oidc-provider), with clients that get JWT
// access tokens for themselves. Under /_control it changes its keys, tells how often they were
// read, and ends.
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const { OIDC_ISSUER, OIDC_SECRET } = process.env;

// What the tokens of a client say beside whose they are.
const ACCOUNT = '111111111111';
const CLIENTS = {
  viewer: { roles: ['viewer'], accounts: [ACCOUNT] },
  operator: { roles: ['everyone', 'operator'], accounts: [ACCOUNT] },
  admin: { roles: ['admin'], accounts: ['*'] },
  nobody: { roles: ['everyone'], accounts: ['*'] },
  homeless: { roles: ['admin'], accounts: [] },
  late: { roles: ['admin'], accounts: ['*'] },
  early: { roles: ['admin'], accounts: ['*'] },
};

const KINDS = {
  RS256: ['rsa', { modulusLength: 2048 }],
  ES256: ['ec', { namedCurve: 'P-256' }],
  EdDSA: ['ed25519', {}],
};

// The newest key of each algorithm signs; those before it are still published.
const keys = [];
const signing = {};
let provider;

const renew = () => {
  for (const [alg, [kind, options]] of Object.entries(KINDS)) {
    const { privateKey } = generateKeyPairSync(kind, options);
    const kid = `${alg}-${keys.length}`;
    keys.push({ ...privateKey.export({ format: 'jwk' }), kid, alg, use: 'sig' });
    signing[alg] = kid;
  }
  provider = new Provider(OIDC_ISSUER, configuration());
};

// A resource is urn:<audience>:<algorithm>.
const resourceServer = (_context, resource) => {
  const [, audience, alg] = resource.split(':');
  return {
    audience,
    scope: '',
    accessTokenFormat: 'jwt',
    accessTokenTTL: 300,
    jwt: { sign: { alg, kid: signing[alg] } },
  };
};

// Beyond the 60 seconds that the service forgives.
const shifted = (_context, token, { payload }) => {
  if (token.clientId === 'late') {
    payload.iat -= 400;
    payload.exp -= 400;
  }
  if (token.clientId === 'early') payload.nbf = payload.iat + 100;
};

const configuration = () => ({
  clients: Object.keys(CLIENTS).map((name) => ({
    client_id: name,
    client_secret: OIDC_SECRET,
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
  })),
  jwks: { keys },
  enabledJWA: { idTokenSigningAlgValues: Object.keys(KINDS) },
  extraTokenClaims: (_context, token) => CLIENTS[token.clientId],
  formats: { customizers: { jwt: shifted } },
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: { enabled: true, getResourceServerInfo: resourceServer },
  },
});

let keysRead = 0;
const control = {
  '/_control/renew': renew,
  '/_control/seen': () => {},
  '/_control/stop': () => setImmediate(() => process.exit(0)),
};

renew();
createServer((request, response) => {
  const act = control[request.url];
  if (!act) {
    if (request.url === '/jwks') keysRead += 1;
    provider.callback()(request, response);
    return;
  }
  act();
  response.setHeader('content-type', 'application/json');
  response.setHeader('connection', 'close');
  response.end(JSON.stringify({ keysRead }));
}).listen(Number(new URL(OIDC_ISSUER).port), '127.0.0.1', () => console.log('listening'));
