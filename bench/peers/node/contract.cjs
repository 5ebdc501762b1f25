// What every peer program shares: the command line, the jobs, the checks, the line of JSON.
// The same stands in rust/contract and in python/contract.py; ../README.md describes it.
'use strict';

const { parseArgs } = require('node:util');

function readArguments() {
  const { values } = parseArgs({
    options: {
      url: { type: 'string' },
      mode: { type: 'string', default: 'batched' },
      jobs: { type: 'string', default: '100000' },
      keys: { type: 'string', default: '0' },
      'duration-ms': { type: 'string', default: '0' },
      concurrency: { type: 'string', default: '24' },
      latency: { type: 'string', default: '0' },
    },
  });
  if (!values.url) throw new Error('--url postgres://... is required');
  if (!['batched', 'default'].includes(values.mode)) throw new Error(`--mode ${values.mode}: batched or default`);
  return {
    url: values.url,
    mode: values.mode,
    jobs: Number(values.jobs),
    keys: Number(values.keys),
    durationMs: Number(values['duration-ms']),
    concurrency: Number(values.concurrency),
    latency: Number(values.latency),
  };
}

/**
 * Job numbers in batches [first, end) of at most `size`, each key at most once a batch: what one
 * statement enqueues may get equal times and shuffled ids.
 */
function* batches({ jobs, keys }, size) {
  const step = keys ? Math.min(size, keys) : size;
  for (let first = 0; first < jobs; first += step) yield [first, Math.min(first + step, jobs)];
}

const FILLER = 'x'.repeat(350);

/** About 400 bytes of JSON. Without keys, the key is -1. */
function payload(number, keys) {
  return { number, key: keys ? number % keys : -1, filler: FILLER };
}

/** Sees every job begin and end; `finished` resolves with the time when all have. */
class Record {
  constructor(jobs, keys) {
    this.awaited = jobs;
    this.seen = new Uint8Array(jobs);
    this.running = new Uint8Array(keys);
    this.last = new Int32Array(keys).fill(-1);
    this.overlaps = 0;
    this.outOfOrder = 0;
    this.finished = new Promise((resolve) => (this.finish = resolve));
  }

  begin({ number, key }) {
    if (key < 0) return;
    if (this.running[key]) this.overlaps += 1;
    if (this.last[key] > number) this.outOfOrder += 1;
    this.running[key] = 1;
    this.last[key] = number;
  }

  end({ number, key }) {
    if (key >= 0) this.running[key] = 0;
    if (this.seen[number]) throw new Error(`job ${number} ran twice`);
    this.seen[number] = 1;
    this.awaited -= 1;
    if (this.awaited === 0) this.finish(performance.now());
  }
}

function percentile(sorted, part) {
  return Math.round(sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] * 1000);
}

function reportDrain(peer, version, args, record, seconds) {
  console.log(
    JSON.stringify({
      peer,
      version,
      jobs: args.jobs,
      seconds,
      jobs_per_second: args.jobs / seconds,
      overlaps: record.overlaps,
      out_of_order: record.outOfOrder,
    }),
  );
}

function reportLatency(peer, version, milliseconds) {
  const sorted = [...milliseconds].sort((a, b) => a - b);
  console.log(
    JSON.stringify({ peer, version, samples: sorted.length, p50_us: percentile(sorted, 0.5), p95_us: percentile(sorted, 0.95) }),
  );
}

const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const pause = () => sleep(5 + Math.random() * 20);

module.exports = { readArguments, batches, payload, Record, reportDrain, reportLatency, sleep, pause };
