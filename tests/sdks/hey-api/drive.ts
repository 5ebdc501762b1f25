// Creates a profile, waits for it, reads it and deletes it, with generated functions.

import assert from "node:assert/strict";

import { client } from "./client/client.gen.js";
import * as fleet from "./client/index.js";

const place = { accountId: "111111111111", region: "eu-central-1", clusterName: "prod-1" };
const name = process.env.SDK_PROFILE!;
client.setConfig({ baseUrl: process.env.DEMO_URL!, auth: process.env.DEMO_TOKEN! });

async function wait(job: fleet.Job): Promise<fleet.Job> {
  while (job.finishedAt === undefined) {
    const asked = { path: { jobId: job.id }, query: { waitSeconds: 30 } };
    job = (await fleet.getJob({ ...asked, throwOnError: true })).data;
  }
  assert.equal(job.state, "succeeded", job.message);
  return job;
}

const me = await fleet.getWhoami({ throwOnError: true });
assert.equal(me.data.role, "admin");

const made = await fleet.createFargateProfile({
  path: place,
  headers: { "Idempotency-Key": `create-${name}` },
  body: { name, selectors: [{ namespace: name, labels: { "made-by": "sdk" } }] },
  throwOnError: true,
});
assert.equal((await wait(made.data)).profile?.status, "ACTIVE");

const path = { ...place, profileName: name };
const read = await fleet.getFargateProfile({ path, throwOnError: true });
assert.ok(typeof read.data === "object" && "selectors" in read.data);
assert.deepEqual(read.data.selectors[0].labels, { "made-by": "sdk" });
const listed = await fleet.listFargateProfiles({ path: place, throwOnError: true });
assert.ok(typeof listed.data === "object" && "items" in listed.data);
assert.ok(listed.data.items.some((item) => item.name === name));

const gone = await fleet.deleteFargateProfile({ path, throwOnError: true });
await wait(gone.data);
const missing = await fleet.getFargateProfile({ path });
assert.equal(missing.response?.status, 404);
assert.equal(missing.error?.code, "not_found");

const url = `${process.env.DEMO_URL}/receiver`;
const hook = await fleet.createWebhook({
  body: { url, eventTypes: ["job.succeeded"], enabled: false },
  throwOnError: true,
});
const webhook = { path: { webhookId: hook.data.id } };
assert.equal((await fleet.getWebhook(webhook)).data?.url, url);
await fleet.deleteWebhook({ ...webhook, throwOnError: true });
assert.equal((await fleet.getWebhook(webhook)).error?.code, "not_found");
