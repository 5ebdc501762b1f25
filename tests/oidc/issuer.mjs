// A certified OpenID Connect provider with one client, which gets JWT access tokens for itself.
// Each resource is signed with the algorithm that it names.
import { generateKeyPairSync } from 'node:crypto';
import Provider from 'oidc-provider';

const issuer = process.env.OIDC_ISSUER;
const key = (kid, alg, type, options) => {
  const { privateKey } = generateKeyPairSync(type, options);
  return { ...privateKey.export({ format: 'jwk' }), kid, alg, use: 'sig' };
};
const keys = [
  key('rsa', 'RS256', 'rsa', { modulusLength: 2048 }),
  key('ec', 'ES256', 'ec', { namedCurve: 'P-256' }),
  key('ed', 'EdDSA', 'ed25519', {}),
];

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'portal',
      client_secret: process.env.OIDC_SECRET,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    },
  ],
  jwks: { keys },
  enabledJWA: { idTokenSigningAlgValues: ['RS256', 'ES256', 'EdDSA'] },
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      // urn:<audience>:<algorithm>
      getResourceServerInfo: (_context, resource) => {
        const [, audience, alg] = resource.split(':');
        return {
          audience,
          scope: 'fleet:admin fleet:viewer',
          accessTokenFormat: 'jwt',
          accessTokenTTL: 300,
          jwt: { sign: { alg } },
        };
      },
    },
  },
});
provider.listen(Number(new URL(issuer).port), '127.0.0.1', () => console.log('listening'));
