"""`missedd convert`: say what callers became, one by one or from a spreadsheet's CSV."""

from __future__ import annotations

import argparse
import csv
import math
import os
import sys
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from missedd.commands.conversions.csv_file import COLUMN_NAMES, ConversionFile, CsvFileError
from missedd.commands.conversions.spreadsheet_cells import CellError, DateOrder, clean_cell, parse_date
from missedd.commands.conversions.upload import ConversionUpload, UploadCounts
from missedd.commands.shared.daemon_client import DaemonNotRunning, call_api, run_with_settings
from missedd.commands.shared.options import FAILED, OK, USAGE, add_config_option, to_local_text
from missedd.config.loader import Settings

type Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

INTERRUPTED: Final = "interrupted"

MAX_SHOWN_REJECTED: Final = 20
"""Rejected lines that are told; --rejected writes all of them."""


def add_parser(commands: Subparsers) -> None:
    parser = commands.add_parser(
        "convert",
        help="report conversions: an order, a sale, an enrolment of a caller",
        description="Sends conversions to the running daemon. Each conversion has a reference of yours, such "
        "as an order number. A reference that was sent before changes nothing, so you can send a file twice. "
        "A file is CSV in UTF-8, and its first line names the columns. Required: a reference (or order_id), "
        "and a number (or phone, mobile) or a call_sid. Optional: campaign, at (or date), value (or amount). "
        "Dates are written as 30/11/2026, 30-Nov-2026 or 2026-11-30, with or without a time. For a date such "
        "as 11/12/2026 the file's other dates show the order of day and month, or --dates gives it. Amounts "
        "are written as ₹499, Rs. 499, 499/- or 1,25,000.50. If a conversion names no campaign, it belongs "
        "to the campaign of the number's last call before it. Exit code 1 if anything was rejected.",
        epilog="examples: missedd convert --config missedd.toml --file orders.csv --rejected bad.csv; "
        "missedd convert --config missedd.toml --number 9876543210 --reference order-4711 --value 2500",
    )
    add_config_option(parser)
    parser.add_argument("--file", type=Path, metavar="FILE", help="a CSV file with many conversions")
    parser.add_argument(
        "--map",
        action="append",
        default=[],
        metavar="FIELD=COLUMN",
        help=f"the column to read a field from; FIELD is one of {', '.join(COLUMN_NAMES)}; may be repeated",
    )
    parser.add_argument(
        "--dates",
        choices=[each.value for each in DateOrder],
        help="the order of day and month in dates; iso accepts only dates with the year first",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="show what the file would change; store nothing"
    )
    parser.add_argument(
        "--rejected", type=Path, metavar="OUT", help="write the rejected lines with their reasons"
    )
    parser.add_argument(
        "--number", metavar="N", help="one conversion instead of a file: the caller's number …"
    )
    parser.add_argument("--call-sid", metavar="SID", help="… or the CallSid of the call")
    parser.add_argument("--reference", metavar="R", help="your reference, such as an order number")
    parser.add_argument("--at", metavar="T", help="the time of the conversion (now)")
    parser.add_argument("--value", type=float, metavar="V", help="the value of the conversion, such as 2500")
    parser.add_argument("--campaign", metavar="C", help="the campaign, for lines that name none")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    wrong = _argument_error(args)
    if wrong:
        print(wrong, file=sys.stderr)
        return USAGE
    return run_with_settings(args.config, partial(_convert_file if args.file else _convert_one, args))


def _argument_error(args: argparse.Namespace) -> str | None:
    """What is wrong with the arguments together, if anything."""
    if args.file:
        for name in ("number", "call_sid", "reference", "at", "value"):
            if getattr(args, name) is not None:
                return f"--file brings its own {name}; leave out --{name.replace('_', '-')}"
        for each in args.map:
            name, _, column = each.partition("=")
            if name not in COLUMN_NAMES or not column:
                return f"--map {each}: write FIELD=COLUMN with one of {', '.join(COLUMN_NAMES)}"
        return None
    if args.reference is None or (args.number is None and args.call_sid is None):
        return "give --file, or --reference with --number or --call-sid"
    if args.map or args.dry_run or args.rejected:
        return "--map, --dry-run and --rejected are for --file"
    if args.value is not None and not math.isfinite(args.value):
        return "--value is a number"
    return None


def _date_order(args: argparse.Namespace) -> DateOrder | None:
    return DateOrder(args.dates) if args.dates else None


def _convert_one(args: argparse.Namespace, settings: Settings) -> int:
    body = {name: getattr(args, name) for name in COLUMN_NAMES}
    if args.at is not None:
        try:
            body["at"] = parse_date(clean_cell(args.at), _date_order(args))
        except CellError as wrong:
            print(f"--at {args.at!r}: {wrong}", file=sys.stderr)
            return USAGE
    said = call_api(settings, "/api/v1/conversions", body)
    if not said.is_ok:
        print(f"{args.reference}: {said.detail}", file=sys.stderr)
        return FAILED
    found = said.body
    if found["repeated"]:
        otherwise = f", with another {' and '.join(found['differs'])}" if found["differs"] else ""
        since = to_local_text(found["created_at"], settings)
        print(f"{args.reference} is known since {since}{otherwise}; nothing was changed")
    else:
        print(f"{args.reference} is recorded for {found['campaign']}, call {found['call_sid']}")
    return OK


def _convert_file(args: argparse.Namespace, settings: Settings) -> int:
    chosen = dict(each.split("=", 1) for each in args.map)
    if args.rejected and args.rejected.exists() and args.rejected.samefile(args.file):
        print("--rejected would overwrite the file itself", file=sys.stderr)
        return USAGE
    try:
        with args.file.open("rb") as raw:
            source = ConversionFile(raw, chosen, _date_order(args))
            tally = _upload(args, settings, source, raw)
    except OSError as failure:
        print(f"{args.file}: cannot be read: {failure.strerror or failure}", file=sys.stderr)
        return FAILED
    except CsvFileError as wrong:
        print(f"{args.file}: {wrong}", file=sys.stderr)
        return USAGE
    tally.rejected.sort(key=lambda each: each.line.number)
    _print_counts(args, source, tally)
    if args.rejected:
        _write_rejected(args.rejected, source, tally)
    if tally.stopped == INTERRUPTED:
        raise KeyboardInterrupt
    return FAILED if tally.rejected or tally.stopped else OK


def _upload(
    args: argparse.Namespace, settings: Settings, source: ConversionFile, raw: BinaryIO
) -> UploadCounts:
    """Send the lines, with a progress bar on a terminal; an interruption leaves what is done done."""
    sending = ConversionUpload(
        partial(call_api, settings, "/api/v1/conversions/batch"), args.campaign, dry_run=args.dry_run
    )
    console = Console(stderr=True)
    columns = (TextColumn(args.file.name), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        shown = bar.add_task("", total=os.fstat(raw.fileno()).st_size)
        try:
            sending.send(source.lines(), lambda: bar.update(shown, completed=raw.tell()))
        except DaemonNotRunning as failure:
            sending.counts.stopped = str(failure)
        except KeyboardInterrupt:
            sending.counts.stopped = INTERRUPTED
    return sending.counts


def _print_counts(args: argparse.Namespace, source: ConversionFile, tally: UploadCounts) -> None:
    used = ", ".join(f"{name} = {source.header[column]}" for name, column in source.columns.items())
    unused = [each for i, each in enumerate(source.header) if i not in source.columns.values()]
    print(f"columns: {used}" + (f"; not used: {', '.join(unused)}" if unused else ""))
    if source.skipped_lines:
        print(f"above the header: {'; '.join(source.skipped_lines)}")
    if source.order_evidence:
        line, date = source.order_evidence
        print(f"dates: {source.order}, as {date!r} in line {line} can only be that; --dates says otherwise")
    known = f"{tally.repeated:,} known before"
    if tally.differing:
        known += f" ({tally.differing:,} of them with other contents, which change nothing)"
    recorded = "would be recorded" if args.dry_run else "recorded"
    print(f"{tally.lines:,} lines: {tally.recorded:,} {recorded}, {known}, {len(tally.rejected):,} rejected")
    for each in tally.rejected[:MAX_SHOWN_REJECTED]:
        print(f"line {each.line.number}: {source.explain(each.line, each.reason)}", file=sys.stderr)
    if len(tally.rejected) > MAX_SHOWN_REJECTED:
        more = "" if args.rejected else "; --rejected OUT writes all of them"
        print(f"… and {len(tally.rejected) - MAX_SHOWN_REJECTED:,} more{more}", file=sys.stderr)
    if tally.stopped is not None:
        print(f"stopped: {tally.stopped}; run it again, what is recorded stays", file=sys.stderr)


def _write_rejected(out: Path, source: ConversionFile, tally: UploadCounts) -> None:
    """The rejected lines as CSV, each with its number and reason in front, to be mended and sent again."""
    with out.open("w", encoding="utf-8", errors="replace", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["line", "reason", *source.header])
        writer.writerows(
            [each.line.number, source.explain(each.line, each.reason), *each.line.cells]
            for each in tally.rejected
        )
