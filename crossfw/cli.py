"""The commands: parse, call one function, print."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

import click

from crossfw import __version__
from crossfw.errors import CrossfwError


class Commands(click.Group):
    """Prints a CrossfwError as three lines and exits with 2; a traceback only with --debug."""

    def invoke(self, context: click.Context) -> object:
        try:
            return super().invoke(context)
        except CrossfwError as error:
            if context.params.get("debug"):
                raise
            click.echo(f"crossfw: error\n{error}", err=True)
            sys.exit(2)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            if context.params.get("debug"):
                raise
            unforeseen = CrossfwError(
                " ".join(["crossfw", *sys.argv[1:]]),
                f"an error inside crossfw, {type(error).__name__}: {error}",
                "see it whole with crossfw --debug ..., and report it; finished cells are kept for --resume",
            )
            click.echo(f"crossfw: error\n{unforeseen}", err=True)
            sys.exit(2)
        except KeyboardInterrupt:
            if context.params.get("debug"):
                raise
            click.echo("crossfw: stopped", err=True)
            sys.exit(130)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="crossfw")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def main(debug: bool) -> None:
    """Is the PyTorch model the same as the MXNet one, does it learn the same, and how fast is each?

    Exit codes: 0 all is well, 1 a disagreement was found, 2 wrong use or environment, or something could not be
    compared, 130 interrupted.
    """


@main.command("list")
def list_command() -> None:
    """Show tasks, models and implementations, and what can run here."""
    from crossfw.harness.inventory import print_inventory

    print_inventory()


@main.command()
@click.option("--mxnet-python", metavar="PYTHON", help="Interpreter that MXNet's workers run in.")
@click.option("--torch-python", metavar="PYTHON", help="Interpreter that PyTorch's workers run in.")
@click.option("--data-dir", type=click.Path(path_type=Path), help="Where corpora lie; see also CROSSFW_DATA.")
def doctor(mxnet_python: str | None, torch_python: str | None, data_dir: Path | None) -> None:
    """Say what is installed, what can run, and the command that mends what is missing."""
    from crossfw.harness.doctor import examine

    sys.exit(examine(_pythons(mxnet_python, torch_python), data_dir))


@main.command()
@click.argument("tasks", nargs=-1, metavar="[TASK ...]")
@click.option("--suite", default="quick", show_default=True, help="quick: few epochs; full: as published.")
@click.option("--implementations", metavar="NAME[,NAME...]", help="Default: all. torch-WORD=FILE.py adds your own.")
@click.option("--seeds", type=int, metavar="N", help="Train from N seeds, instead of the suite's number.")
@click.option("--epochs", type=int, metavar="N", help="Epochs, instead of the suite's.")
@click.option("--device", default="cpu", show_default=True, help="cpu or cuda:0.")
@click.option("--dtype", default="float32", show_default=True, help="Of curves and throughput.")
@click.option(
    "--threads",
    type=int,
    metavar="N",
    help="Cores to use: threads of a worker while speed is measured, else workers at once. [default: all]",
)
@click.option(
    "--sweep",
    "sweeps",
    multiple=True,
    metavar="SETTING=N,N,...",
    help="Also time the tasks named at several values of hidden, batch, steps, layers or threads.",
)
@click.option("--data-dir", type=click.Path(path_type=Path), help="Where corpora lie; see also CROSSFW_DATA.")
@click.option("--out", type=click.Path(path_type=Path), help="The report's folder. [default: reports/DATE-SUITE]")
@click.option("--resume", is_flag=True, help="Go on in --out: finished cells are not run again.")
@click.option("--keep-traces", is_flag=True, help="Leave every recorded array in traces/.")
@click.option("--mxnet-python", metavar="PYTHON", help="Interpreter that MXNet's workers run in.")
@click.option("--torch-python", metavar="PYTHON", help="Interpreter that PyTorch's workers run in.")
def run(tasks: tuple[str, ...], suite: str, out: Path | None, resume: bool, **given: object) -> None:
    """Train and compare models, and write a report. Without TASK: every task of the catalogue."""
    from rich.console import Console

    from crossfw.harness.options import RunOptions, parse_implementations
    from crossfw.harness.run import run as run_tasks
    from crossfw.harness.swept import parse_sweeps
    from crossfw.report import print_summary

    if resume and out is None:
        raise CrossfwError("--resume", "no --out", "name the folder of the run to go on with: --out FOLDER")
    pythons = _pythons(given.pop("mxnet_python"), given.pop("torch_python"))
    names = given.pop("implementations")
    given = {name: value for name, value in given.items() if value is not None}
    given["sweeps"] = parse_sweeps(given["sweeps"])
    if names:
        given["implementations"] = parse_implementations([name.strip() for name in names.split(",")])
    out = out or Path("reports") / f"{datetime.now():%Y%m%d-%H%M%S}-{suite}"
    options = RunOptions(tasks=tasks, out=out, suite=suite, resume=resume, pythons=tuple(pythons.items()), **given)
    console = Console()
    try:
        results, code = run_tasks(options, ["crossfw", *sys.argv[1:]], console)
    except KeyboardInterrupt:
        click.echo(f"finished cells are kept; to go on: the same command with --resume --out {out}", err=True)
        raise
    print_summary(results, console)
    console.print(f"report: {out / 'index.html'}", markup=False, highlight=False, soft_wrap=True)
    sys.exit(code)


@main.command()
@click.argument("source", type=click.Path(path_type=Path), metavar="SRC.params")
@click.argument("destination", type=click.Path(path_type=Path), metavar="DST.safetensors")
@click.option("--for", "port", metavar="FILE.py:FUNCTION", help="Names and layouts of the torch module it returns.")
@click.option("--check", is_flag=True, help="Write nothing; compare DST with SRC bit for bit.")
@click.option("--torch-python", metavar="PYTHON", help="Interpreter that runs FUNCTION.")
def convert(source: Path, destination: Path, port: str | None, check: bool, torch_python: str | None) -> None:
    """Turn a .params file of any MXNet into .safetensors, without MXNet.

    With --check the exit code is 1 where DST is not what SRC becomes.
    """
    from crossfw.checkpoints.convert import (
        differences,
        plan_conversion,
        summary,
        write,
    )

    plan = plan_conversion(source, port, torch_python)
    if check:
        found = differences(plan, destination)
        for line in found:
            click.echo(f"differs: {line}")
        if not found:
            click.echo(f"{destination} is what {source} becomes: {len(plan.tensors)} tensors, {plan.nbytes:,} bytes")
        sys.exit(1 if found else 0)
    write(plan, destination)
    click.echo(summary(plan, destination))


@main.command()
@click.argument("port", type=click.Path(path_type=Path), metavar="PORT.py")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write the verdict as a page of its own.")
@click.option("--json", type=click.Path(path_type=Path, dir_okay=False), help="Write every comparison as JSON.")
@click.option("--threads", type=int, metavar="N", help="Threads of each framework. [default: half of the cores]")
@click.option("--mxnet-python", metavar="PYTHON", help="Interpreter that MXNet's side runs in.")
@click.option("--torch-python", metavar="PYTHON", help="Interpreter that PyTorch's side runs in.")
@click.option("--seconds", type=click.FloatRange(min=0), default=60.0, show_default=True, metavar="S",
              help="Time for the search for a cause.")  # fmt: skip
def verify(
    port: Path,
    html: Path | None,
    json: Path | None,
    threads: int | None,
    mxnet_python: str | None,
    torch_python: str | None,
    seconds: float,
) -> None:
    """Verify a port: is your torch model the same as your MXNet model?

    PORT.py defines mxnet_model(), torch_model() and inputs(rng). Exit codes: 0 it agrees, 1 it does not, 2 it could not
    be compared.
    """
    from rich.console import Console

    from crossfw.verification.command import verify_command

    pythons = _pythons(mxnet_python, torch_python)
    sys.exit(verify_command(port, pythons, threads, {"html": html, "json": json}, Console(), seconds))


@main.command()
@click.argument("old", type=click.Path(path_type=Path), metavar="OLD")
@click.argument("new", type=click.Path(path_type=Path), metavar="NEW")
@click.option("--json", type=click.Path(path_type=Path, dir_okay=False), help="Write every finding as JSON.")
def compare(old: Path, new: Path, json: Path | None) -> None:
    """Compare two report folders: what changed, what got worse.

    Exit codes: 0 nothing is shown to be worse, 1 something is, 2 they could not be compared.
    """
    from rich.console import Console

    from crossfw.comparison.command import compare_command

    sys.exit(compare_command(old, new, json, Console()))


def _pythons(mxnet: str | None, torch: str | None) -> dict[str, str]:
    return {name: python for name, python in (("mxnet", mxnet), ("torch", torch)) if python}
