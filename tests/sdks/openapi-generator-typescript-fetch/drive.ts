// Creates a profile, waits for it, reads it and deletes it, through the generated client.

import assert from "node:assert/strict";

import {
  AccessApi,
  Configuration,
  FargateProfilesApi,
  type Job,
  JobsApi,
  ProblemFromJSON,
  ResponseError,
  WebhooksApi,
} from "./client/index.js";

const place = { accountId: "111111111111", region: "eu-central-1", clusterName: "prod-1" };
const name = process.env.SDK_PROFILE!;
const configuration = new Configuration({
  basePath: process.env.DEMO_URL!,
  accessToken: process.env.DEMO_TOKEN!,
});
const profiles = new FargateProfilesApi(configuration);
const jobs = new JobsApi(configuration);

async function wait(job: Job): Promise<Job> {
  while (job.finishedAt === undefined) {
    job = await jobs.getJob({ jobId: job.id, waitSeconds: 30 });
  }
  assert.equal(job.state, "succeeded", job.message);
  return job;
}

// The error holds the answer, whose body is still to be read.
async function isMissing(read: Promise<unknown>): Promise<void> {
  const error = await read.then(() => undefined, (error: unknown) => error);
  assert.ok(error instanceof ResponseError, "still there");
  assert.equal(error.response.status, 404);
  assert.equal(ProblemFromJSON(await error.response.json()).code, "not_found");
}

const me = await new AccessApi(configuration).getWhoami();
assert.equal(me.role, "admin");

const profileInput = { name, selectors: [{ namespace: name, labels: { "made-by": "sdk" } }] };
const made = await profiles.createFargateProfile({
  ...place,
  profileInput,
  idempotencyKey: `create-${name}`,
});
assert.equal((await wait(made)).profile?.status, "ACTIVE");

const profile = await profiles.getFargateProfile({ ...place, profileName: name });
assert.deepEqual(profile.selectors[0].labels, { "made-by": "sdk" });
const listed = await profiles.listFargateProfiles(place);
assert.ok(listed.items.some((item) => item.name === name));

await wait(await profiles.deleteFargateProfile({ ...place, profileName: name }));
await isMissing(profiles.getFargateProfile({ ...place, profileName: name }));

const webhooks = new WebhooksApi(configuration);
const url = `${process.env.DEMO_URL}/receiver`;
const hook = await webhooks.createWebhook({
  webhookInput: { url, eventTypes: ["job.succeeded"], enabled: false },
});
assert.equal((await webhooks.getWebhook({ webhookId: hook.id })).url, url);
await webhooks.deleteWebhook({ webhookId: hook.id });
await isMissing(webhooks.getWebhook({ webhookId: hook.id }));
