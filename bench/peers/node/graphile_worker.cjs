// graphile-worker, the Node queue: `run` in one process.
'use strict';

const { Logger, makeWorkerUtils, run } = require('graphile-worker');
const version = require('./package.json').dependencies['graphile-worker'];
const { readArguments, batches, payload, Record, reportDrain, reportLatency, sleep, pause } = require('./contract.cjs');

const PEER = 'graphile-worker';
const BATCH = 5000;
const quiet = new Logger(() => (level, message) => {
  if (level === 'error') console.error(message);
});

function preset(args) {
  const worker = { connectionString: args.url, concurrentJobs: args.concurrency, logger: quiet };
  // For keys: a fetch that finds all of them taken waits for the next poll, two seconds unless told otherwise.
  if (args.mode === 'batched' || !args.latency) worker.pollInterval = 5;
  // As in its own performance test.
  const batched = { localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 };
  return { worker: args.mode === 'batched' ? { ...worker, ...batched } : worker };
}

function start(args, task) {
  return run({ preset: preset(args), taskList: { task }, noHandleSignals: true, parsedCronItems: [] });
}

async function enqueue(utils, args) {
  for (const [first, end] of batches(args, BATCH)) {
    const jobs = [];
    for (let number = first; number < end; number += 1) {
      const one = payload(number, args.keys);
      jobs.push({ identifier: 'task', payload: one, ...(args.keys && { queueName: `key-${one.key}` }) });
    }
    await utils.addJobs(jobs);
  }
}

async function drain(args, utils) {
  await enqueue(utils, args);
  await utils.withPgClient((client) => client.query('vacuum analyze'));
  const record = new Record(args.jobs, args.keys);
  const task = args.durationMs
    ? async (job) => {
        record.begin(job);
        await sleep(args.durationMs);
        record.end(job);
      }
    : (job) => {
        record.begin(job);
        record.end(job);
      };
  const begun = performance.now();
  const runner = await start(args, task);
  const ended = await record.finished;
  await runner.stop();
  await empty(utils);
  reportDrain(PEER, version, args, record, (ended - begun) / 1000);
}

/** The runner's stop does not wait for the last completions. */
async function empty(utils) {
  for (let look = 0; look < 500; look += 1) {
    const { rows } = await utils.withPgClient((client) =>
      client.query('select count(*)::int as left from graphile_worker._private_jobs'),
    );
    if (rows[0].left === 0) return;
    await sleep(20);
  }
  throw new Error('jobs are left after all have run');
}

async function latency(args, utils) {
  let begun;
  const runner = await start(args, () => begun(performance.now()));
  const samples = [];
  for (let number = 0; number < args.latency; number += 1) {
    await pause();
    const first = new Promise((resolve) => (begun = resolve));
    const sent = performance.now();
    await utils.addJob('task', payload(number, 0));
    samples.push((await first) - sent);
  }
  await runner.stop();
  reportLatency(PEER, version, samples);
}

async function main() {
  const args = readArguments();
  const utils = await makeWorkerUtils({ connectionString: args.url, logger: quiet });
  await utils.migrate();
  await (args.latency ? latency(args, utils) : drain(args, utils));
  await utils.release();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
