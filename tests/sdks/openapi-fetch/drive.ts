// Creates a profile, waits for it, reads it and deletes it, with openapi-fetch and generated types.

import assert from "node:assert/strict";

import createClient from "openapi-fetch";

import type { components, paths } from "./schema.js";

type Job = components["schemas"]["Job"];

const PROFILES =
  "/v1/accounts/{accountId}/regions/{region}/clusters/{clusterName}/fargate-profiles";
const PROFILE = `${PROFILES}/{profileName}` as const;

const place = { accountId: "111111111111", region: "eu-central-1", clusterName: "prod-1" };
const name = process.env.SDK_PROFILE!;
const client = createClient<paths>({
  baseUrl: process.env.DEMO_URL!,
  headers: { Authorization: `Bearer ${process.env.DEMO_TOKEN}` },
});

async function wait(job: Job): Promise<Job> {
  while (job.finishedAt === undefined) {
    const params = { path: { jobId: job.id }, query: { waitSeconds: 30 } };
    const { data, error } = await client.GET("/v1/jobs/{jobId}", { params });
    assert.ok(data, JSON.stringify(error));
    job = data;
  }
  assert.equal(job.state, "succeeded", job.message);
  return job;
}

const me = await client.GET("/v1/whoami");
assert.equal(me.data?.role, "admin");

const made = await client.POST(PROFILES, {
  params: { path: place, header: { "Idempotency-Key": `create-${name}` } },
  body: { name, selectors: [{ namespace: name, labels: { "made-by": "sdk" } }] },
});
assert.ok(made.data, JSON.stringify(made.error));
assert.equal((await wait(made.data)).profile?.status, "ACTIVE");

const path = { ...place, profileName: name };
const read = await client.GET(PROFILE, { params: { path } });
assert.ok(
  typeof read.data === "object" && "selectors" in read.data,
  JSON.stringify(read.error),
);
assert.deepEqual(read.data.selectors[0].labels, { "made-by": "sdk" });
const listed = await client.GET(PROFILES, { params: { path: place } });
assert.ok(
  typeof listed.data === "object" && "items" in listed.data,
  JSON.stringify(listed.error),
);
assert.ok(listed.data.items.some((item) => item.name === name));

const gone = await client.DELETE(PROFILE, { params: { path } });
assert.ok(gone.data, JSON.stringify(gone.error));
await wait(gone.data);
const missing = await client.GET(PROFILE, { params: { path } });
assert.equal(missing.response.status, 404);
assert.equal(missing.error?.code, "not_found");

const url = `${process.env.DEMO_URL}/receiver`;
const hook = await client.POST("/v1/webhooks", {
  body: { url, eventTypes: ["job.succeeded"], enabled: false },
});
assert.ok(hook.data, JSON.stringify(hook.error));
const params = { path: { webhookId: hook.data.id } };
assert.equal((await client.GET("/v1/webhooks/{webhookId}", { params })).data?.url, url);
assert.equal((await client.DELETE("/v1/webhooks/{webhookId}", { params })).response.status, 204);
const forgotten = await client.GET("/v1/webhooks/{webhookId}", { params });
assert.equal(forgotten.error?.code, "not_found");
