"""procrastinate: an asynchronous worker in this process. It knows no batches: both modes are the same."""

import asyncio
import logging
import time
from importlib.metadata import version

from procrastinate import App, PsycopgConnector
from psycopg import AsyncConnection

import contract

PEER = "procrastinate"
BATCH = 1_000


def start(app, args):
    """A worker that waits for notifications, and polls at its own default of five seconds."""
    work = app.run_worker_async(
        concurrency=args.concurrency, wait=True, install_signal_handlers=False, listen_notify=True
    )
    return asyncio.create_task(work)


async def stop(worker):
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)


async def vacuum(url):
    async with await AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute("vacuum analyze")


async def drain(app, args):
    record = None

    @app.task(name="work")
    async def work(number, key, filler):
        record.begin(number, key)
        if args.duration_ms:
            await asyncio.sleep(args.duration_ms / 1000)
        record.end(number, key)

    for batch in contract.batches(args, BATCH):
        jobs = [contract.payload(number, args.keys) for number in batch]
        if args.keys:
            await asyncio.gather(
                *(work.configure(lock=f"key-{job['key']}").defer_async(**job) for job in jobs)
            )
        else:
            await work.batch_defer_async(*jobs)
    await vacuum(args.url)
    record = contract.Record(args)
    begun = time.perf_counter()
    worker = start(app, args)
    seconds = await record.finished - begun
    await stop(worker)
    left = await app.connector.execute_query_one_async(
        "select count(*) as jobs from procrastinate_jobs where status <> 'succeeded'"
    )
    assert left["jobs"] == 0, f"{left['jobs']} jobs are left"
    contract.report_drain(PEER, version(PEER), args, record, seconds)


async def latency(app, args):
    begun = asyncio.Queue()

    @app.task(name="ping")
    async def ping(number, key, filler):
        begun.put_nowait(time.perf_counter())

    worker = start(app, args)
    await asyncio.sleep(1)
    samples = []
    for number in range(args.latency):
        await contract.pause()
        sent = time.perf_counter()
        await ping.defer_async(**contract.payload(number, 0))
        samples.append(await begun.get() - sent)
    await stop(worker)
    contract.report_latency(PEER, version(PEER), samples)


async def main():
    logging.basicConfig(level=logging.ERROR)
    args = contract.read_arguments()
    app = App(connector=PsycopgConnector(conninfo=args.url, min_size=4, max_size=args.concurrency + 4))
    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        await (latency if args.latency else drain)(app, args)


asyncio.run(main())
