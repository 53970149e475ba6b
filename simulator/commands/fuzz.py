"""`missedd-sim fuzz`: the whole daemon under faults and crashes, seed after seed."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.console import Console
from rich.status import Status

from simulator.commands.database_option import DATABASE_HELP, NEEDS_SERVER
from simulator.scenario.cluster import MAX_DAEMONS
from simulator.scenario.value_readers import format_duration

if TYPE_CHECKING:
    from simulator.fuzz.judged_run import JudgedRun
    from simulator.fuzz.seed_batch import RunKind, SeedBatch

type Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(commands: Subparsers) -> None:
    parser = commands.add_parser(
        "fuzz",
        help="simulate the whole daemon under faults and crashes, judged by its promises",
        description="Each seed gives a random configuration, random callers and random faults: of the "
        "provider, the network, the disk and the clock, and crashes at storage steps. The real daemon runs "
        "under these faults in virtual time. Then the faults end, the daemon must finish its work, and every "
        "promise is compared with what really happened. Exit code 1 if a promise is broken. With ten seeds "
        "or more also 1 if no seed tested one of the promises.",
        epilog="example: missedd-sim fuzz --seeds 500; one seed again: missedd-sim fuzz --seed 17",
    )
    parser.add_argument(
        "--seeds", type=_positive, metavar="N", help="the number of seeds, beginning with --seed"
    )
    parser.add_argument("--seed", type=int, default=None, metavar="K", help="the first seed, or the only one")
    parser.add_argument(
        "--minutes",
        type=_positive,
        metavar="M",
        help="minutes with calls and faults (120; with several daemons 20)",
    )
    parser.add_argument(
        "--daemons", type=_positive, default=1, metavar="N", help="simulate N daemons on one PostgreSQL (1)"
    )
    parser.add_argument("--database", metavar="URL", help=DATABASE_HELP)
    parser.set_defaults(run=run)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def run(args: argparse.Namespace) -> int:
    # Here and not above: the other commands are Exotel alone and do without the daemon's code.
    from simulator.fuzz.random_cluster import CLUSTER_MINUTES
    from simulator.fuzz.random_scenario import MINUTES
    from simulator.fuzz.seed_batch import RunKind, SeedBatch, run_seed, run_seeds, trace_digest
    from simulator.harness.cluster.run_database import NoServer

    if (wrong := _wrong_options(args)) is not None:
        print(f"missedd-sim fuzz: {wrong}", file=sys.stderr)
        return 2
    minutes = args.minutes or (MINUTES if args.daemons == 1 else CLUSTER_MINUTES)
    kind = RunKind(minutes, args.daemons, args.database)
    batch = SeedBatch(kind)
    try:
        if args.seeds is None:
            only = run_seed(args.seed, kind, check_repeatable=True)
            batch.add(args.seed, only)
            _print_failure(args.seed, only, kind)
            print(batch.summary)
            print(f"trace {trace_digest(only)}")
            return 0 if batch.passed else 1
        first = args.seed or 0
        _run_all(batch, run_seeds(range(first, first + args.seeds), kind), kind)
    except NoServer as failure:
        print(f"missedd-sim fuzz: {failure}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        _print_summary(batch)
        raise
    _print_summary(batch)
    return 0 if batch.passed else 1


def _wrong_options(args: argparse.Namespace) -> str | None:
    if args.seeds is None and args.seed is None:
        return "say --seeds N, or --seed K for one seed"
    if args.daemons > MAX_DAEMONS:
        return f"--daemons takes at most {MAX_DAEMONS}"
    if args.daemons > 1 and args.database is None:
        return NEEDS_SERVER
    if args.daemons == 1 and args.database is not None:
        return "--database is for several daemons; say --daemons N"
    return None


def _print_summary(batch: SeedBatch) -> None:
    print(batch.summary)
    for name in batch.untested_promises:
        print(f"{name}: never put to the test; more seeds, or more minutes, would")
    failed = ", ".join(str(seed) for seed, _ in batch.failed)
    print(f"{len(batch.failed)} seeds broke a promise" + (f": {failed}" if failed else ""))


def _run_all(batch: SeedBatch, runs: Iterable[tuple[int, JudgedRun]], kind: RunKind) -> None:
    console = Console(highlight=False)
    with console.status("the first seed") as status:
        for seed, run in runs:
            batch.add(seed, run)
            _progress(status, seed, batch)
            _print_failure(seed, run, kind)


def _progress(status: Status, seed: int, batch: SeedBatch) -> None:
    hours = batch.simulated.total_seconds() / 3600
    status.update(
        f"seed {seed}: {batch.seeds} done, {batch.crashes} crashes survived, {hours:,.0f} simulated hours, "
        f"{len(batch.failed)} failed"
    )


def _print_failure(seed: int, run: JudgedRun, kind: RunKind) -> None:
    """All that somebody needs who wants to understand it, and the command that shows it again."""
    if run.passed:
        return
    print(f"\nseed {seed} broke {len(run.results.violations)} promise(s)")
    for violation in run.results.violations[:5]:
        print(violation)
    print("drawn:")
    for each in run.scenario.timeline:
        if each.kind not in ("ring", "redeliver"):
            print(f"  +{format_duration(each.at)} {json.dumps(each.params, default=str)}")
    for campaign in run.scenario.daemon["campaign"]:
        print(f"  {json.dumps(campaign, default=str)}")
    print(f"  {json.dumps(run.scenario.daemon.get('exotel', {}))} {json.dumps(run.scenario.exchange)}")
    print("the last lines about it:")
    for line in run.failure_trace:
        print(f"  {line}")
    cluster = "" if kind.daemons == 1 else f" --daemons {kind.daemons} --database {kind.server}"
    print(f"again: missedd-sim fuzz --seed {seed} --minutes {kind.minutes}{cluster}", flush=True)
