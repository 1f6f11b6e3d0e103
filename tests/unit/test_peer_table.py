import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import stamps
from benchmarks.environments import own
from benchmarks.peers.cells import COLUMNS, Cell, Grid, Measured, best, fail, put, times_better
from benchmarks.peers.run import Run, Scenario, measure, turns
from benchmarks.peers.table import markdown, plain, ratios, read, remarks, shown, used
from benchmarks.processes import BenchmarkError
from benchmarks.systems import KINDS, Description, Kind, Way
from benchmarks.systems.base import described

BY_KEY = {column.key: column for column in COLUMNS}
WAY = Way("a worker", ["worker"])


def kind(name: str) -> Kind:
    made = Kind(name, "sqlite", (), own)
    made.__dict__["description"] = Description("1.0", [WAY], WAY, WAY, [f"about {name}"])
    return made


def grid_of(**figures: tuple[str, float]) -> Grid:
    grid: Grid = {}
    for system, (key, value) in figures.items():
        put(grid, system, Measured({key: value}))
    return grid


def test_a_cell_is_the_median_of_its_runs() -> None:
    grid: Grid = {}

    for value in (3.0, 1.0, 2.0):
        put(grid, "huey", Measured({"drain": value, "worker_cpu": value * 10}))

    assert grid["huey"]["drain"].value == 2.0
    assert grid["huey"]["worker_cpu"].runs == [30.0, 10.0, 20.0]


def test_a_figure_with_lost_jobs_is_void_whatever_the_other_runs_were() -> None:
    grid = grid_of(bullmq=("drain", 100.0))

    put(grid, "huey", Measured({"drain": 900.0}))
    put(grid, "huey", Measured({"drain": 900.0}, void="3 of 10 jobs are gone"))

    assert shown(grid["huey"]["drain"]) == "void"
    assert best(grid, BY_KEY["drain"], grid) == "bullmq"
    assert "huey, drain: void: 3 of 10 jobs are gone" in remarks(grid, grid)


def test_the_best_is_the_least_where_less_is_better_and_nobody_wins_by_losing_less() -> None:
    grid = grid_of(a=("p99", 5.0), b=("p99", 2.0))
    put(grid, "a", Measured({"lost": 0.0, "twice": 9.0}))
    put(grid, "b", Measured({"lost": 7.0, "twice": 0.0}))

    assert best(grid, BY_KEY["p99"], grid) == "b"
    assert best(grid, BY_KEY["lost"], grid) is None
    assert best(grid, BY_KEY["twice"], grid) is None


def test_ours_is_compared_with_bullmq_and_with_the_best_in_python() -> None:
    grid = grid_of(**{"stoker-sqlite": ("p50", 2.0), "bullmq": ("p50", 1.0), "arq": ("p50", 8.0)})
    put(grid, "huey", Measured({"p50": 4.0}))

    lines = ratios(grid, [BY_KEY["p50"]], list(grid))

    assert lines == [
        ("stoker-sqlite : bullmq", ["0.50 x"]),
        ("stoker-sqlite : best in Python", ["2.00 x"]),
    ]
    assert times_better(grid, BY_KEY["p50"], "nobody", ["arq"]) is None


def test_what_failed_is_said_once_for_all_columns_and_does_not_hide_the_rest() -> None:
    grid = grid_of(huey=("single", 5.0))

    fail(grid, "rq", ("p50", "p99"), "ran nothing")

    assert [column.key for column in used(grid)] == ["single", "p50", "p99"]
    assert shown(grid["rq"]["p50"]) == "failed"
    assert shown(grid["rq"].get("single")) == ""
    assert remarks(grid, grid) == ["rq, start, p50: failed: ran nothing"]


def test_the_section_for_the_docs_has_header_table_and_how_each_is_set_up() -> None:
    grid = grid_of(**{"stoker-sqlite": ("drain", 30_000.0), "huey": ("drain", 3_000.0)})

    text = markdown({"command": "python -m x"}, grid, [kind("stoker-sqlite"), kind("huey")])

    assert "command  python -m x" in text
    assert "| stoker-sqlite | **30,000** |" in text
    assert "| huey | 3,000 |" in text
    assert "- huey (1.0): about huey" in text
    assert "| *stoker-sqlite : best in Python* | 10.0 x |" in text


def test_json_has_every_run_and_can_be_read_again() -> None:
    grid: Grid = {}
    put(grid, "huey", Measured({"drain": 1.0}))
    put(grid, "huey", Measured({"drain": 2.0}))

    report = json.loads(json.dumps(plain({"date": "today"}, grid, [kind("huey")])))

    assert read([report]) == ({"date": "today", "command": ""}, grid, ["huey"])
    assert report["systems"]["huey"]["figures"]["drain"]["runs"] == [1.0, 2.0]
    assert report["systems"]["huey"]["figures"]["drain"]["value"] == 1.5


def test_reports_of_different_scenarios_make_one_table() -> None:
    one = plain({"command": "a"}, grid_of(huey=("drain", 1.0)), [kind("huey")])
    two = plain({"command": "b"}, grid_of(huey=("lost", 0.0)), [kind("huey")])

    who, grid, names = read([one, two])

    assert who["command"] == "a; b"
    assert names == ["huey"]
    assert grid["huey"] == {"drain": Cell(runs=[1.0]), "lost": Cell(runs=[0.0])}


def test_each_round_has_all_in_another_order() -> None:
    kinds = [kind(name) for name in "abcdefg"]

    orders = ["".join(each.name for each in turns(kinds, n)) for n in range(4)]

    assert all(sorted(order) == list("abcdefg") for order in orders)
    assert len(set(orders)) == 4
    assert turns([], 3) == []


def test_a_system_that_fails_is_not_tried_again_and_the_others_go_on(tmp_path: Path) -> None:
    asked: list[str] = []

    def scenario(run: Run, kind: Kind) -> Measured:
        asked.append(kind.name)
        if kind.name == "bad":
            raise BenchmarkError("it would not")
        return Measured({"drain": 1.0})

    scenarios = [("drain", Scenario(scenario, ("drain", "worker_cpu")))]
    grid = measure(Run(tmp_path, None), [kind("good"), kind("bad")], scenarios, 3, lambda _: None)

    assert asked.count("good") == 3
    assert asked.count("bad") == 1
    assert grid["good"]["drain"].runs == [1.0, 1.0, 1.0]
    assert grid["bad"]["worker_cpu"] == Cell(failed="it would not")


def test_a_scenario_that_is_for_some_is_not_for_the_others(tmp_path: Path) -> None:
    def scenario(run: Run, kind: Kind) -> Measured:
        return Measured({"deep": 1.0})

    scenarios = [("backlog", Scenario(scenario, ("deep",), rounds=1, only=("a",)))]
    grid = measure(Run(tmp_path, None), [kind("a"), kind("b")], scenarios, 3, lambda _: None)

    assert grid == {"a": {"deep": Cell(runs=[1.0])}}


@pytest.fixture
def noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, stamps.Stamps]:
    folder = tmp_path / "stamps"
    stamps.prepare(folder)
    monkeypatch.setenv(stamps.FOLDER, str(folder))
    return folder, stamps.Stamps()


def test_marks_tell_what_never_ran_and_what_ran_twice(noted: tuple[Path, stamps.Stamps]) -> None:
    folder, mine = noted

    for n in (0, 1, 1, 4, 4, 4):
        mine.mark(n)

    assert stamps.marked(folder, 6) == stamps.Marked(never=3, twice=2)
    assert stamps.seen(folder).count == 6


def test_nothing_is_marked_before_a_worker_has_begun(tmp_path: Path) -> None:
    stamps.prepare(tmp_path / "stamps")

    assert stamps.marked(tmp_path / "stamps", 10) == stamps.Marked(never=10, twice=0)


def test_what_a_program_says_of_itself_is_read() -> None:
    way = {"label": "a", "command": ["b"], "environment": {}}
    said = {"version": "1", "drain": [way], "latency": way, "pauses": way, "notes": [], "kill": way}

    description = described(said)

    assert description.drain == [Way("a", ["b"])]
    assert description.kill == Way("a", ["b"])
    assert described({**said, "kill": None}).kill is None


def test_a_request_that_fails_is_answered_and_the_next_is_too() -> None:
    requests = ['{"do": "left", "args": {"no": "such"}}', '{"do": "describe", "args": {}}']

    done = subprocess.run(
        [sys.executable, *KINDS["stoker-sqlite"].program],
        input="\n".join(requests),
        env={"BENCH_STORE": "sqlite:///nowhere.db"},
        capture_output=True,
        text=True,
        check=True,
    )

    first, second = (json.loads(line) for line in done.stdout.splitlines())
    assert first["error"].startswith("TypeError")
    assert second["value"]["version"]


@pytest.mark.parametrize("name", KINDS)
def test_each_system_has_a_program(name: str) -> None:
    program = KINDS[name].program
    folder = Path(__file__).resolve().parents[2] / "benchmarks" / "systems"
    file = Path(program[0]) if len(program) == 1 else folder / f"{program[-1]}.py"

    assert file.is_file()
