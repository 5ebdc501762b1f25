// Creates a profile, waits for it, reads it and deletes it, through the generated client.

import assert from "node:assert/strict";

import { Configuration, FargateProfilesApi, type Job, JobsApi, ResponseError } from "./client/index.js";

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
await assert.rejects(
  profiles.getFargateProfile({ ...place, profileName: name }),
  (error) => error instanceof ResponseError && error.response.status === 404,
);
