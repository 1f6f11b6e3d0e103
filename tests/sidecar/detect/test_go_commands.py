"""The sub-commands of Go's programs that stand below others: the whole path to the worker."""

from __future__ import annotations

from pathlib import Path

import pytest

from stoker.sidecar.detect.source.go_lists import closing, listings
from stoker.sidecar.planning import make_plan
from tests.sidecar.detect.test_programs import ASYNQ, commands, go

COMMON = """\
package common

import "github.com/hibiken/asynq"

func NewAsynqServer() *asynq.Server {
	return asynq.NewServer(asynq.RedisClientOpt{}, asynq.Config{})
}
"""
LEAVES = """\
package queue

import (
	"example.com/x/common"
	"github.com/urfave/cli/v2"
)

func NewAsynqCommand() *cli.Command {
	return &cli.Command{
		Name:   "asynq",
		Action: func(c *cli.Context) error { return run() },
	}
}

func run() error {
	return common.NewAsynqServer().Run(nil) // {
}

func NewNatsCommand() *cli.Command {
	return &cli.Command{
		Name:   "nats",
		Action: func(c *cli.Context) error { return common.Subscribe() },
	}
}
"""
GROUP = """\
package commands

import (
	"example.com/x/commands/queue"
	"github.com/urfave/cli/v2"
)

func NewQueueCommand() *cli.Command {
	return &cli.Command{
		Name: "queue",
		Subcommands: []*cli.Command{
			queue.NewNatsCommand(),
			queue.NewAsynqCommand(),
		},
	}
}
"""
MAIN = """\
package main

import (
	"os"

	"example.com/x/commands"
	"github.com/urfave/cli/v2"
)

func main() {
	app := &cli.App{
		Name:     "worker-tool",
		Commands: []*cli.Command{commands.NewQueueCommand()},
	}
	app.Run(os.Args)
}
"""
THIRD = """\
package main

import (
	"context"
	"os"

	"example.com/x/common"
	"github.com/urfave/cli/v3"
)

func main() {
	cmd := &cli.Command{
		Name: "x",
		Commands: []*cli.Command{
			{
				Name:   "api",
				Action: serve,
			},
			{
				Name:  "queue",
				Usage: "what is {queued}",
				Commands: []*cli.Command{
					{
						Name:   "list",
						Action: list,
					},
					{
						Name:   "drain",
						Action: drain,
					},
				},
			},
		},
	}
	cmd.Run(context.Background(), os.Args)
}

func list(ctx context.Context, c *cli.Command) error { return nil }

func drain(ctx context.Context, c *cli.Command) error {
	return common.NewAsynqServer().Run(nil)
}
"""
COBRA = """\
package main

import (
	"example.com/x/common"
	"github.com/spf13/cobra"
)

var root = &cobra.Command{
	Use: "x",
}

func jobs() *cobra.Command {
	cmd := &cobra.Command{
		Use: "jobs",
	}
	cmd.AddCommand(listing(), starting())
	return cmd
}

func listing() *cobra.Command {
	return &cobra.Command{
		Use: "list",
		Run: func(cmd *cobra.Command, args []string) {},
	}
}

func starting() *cobra.Command {
	return &cobra.Command{
		Use: "start",
		Run: func(cmd *cobra.Command, args []string) { common.NewAsynqServer().Run(nil) },
	}
}

func main() {
	root.AddCommand(jobs())
	root.Execute()
}
"""


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (
            {
                "main.go": MAIN,
                "commands/queue.go": GROUP,
                "commands/queue/queue.go": LEAVES,
            },
            "./x queue asynq",
        ),
        ({"main.go": THIRD}, "./x queue drain"),
        ({"main.go": COBRA}, "./x jobs start"),
    ],
    ids=["cli-2", "cli-3", "cobra"],
)
def test_the_whole_path_starts_it(tmp_path: Path, files: dict[str, str], words: str) -> None:
    found = go(tmp_path, {"common/common.go": COMMON} | files)

    assert commands(found) == [words]


def test_what_is_below_and_only_looks_starts_nothing(tmp_path: Path) -> None:
    procfile = "a: ./x queue list\nb: ./x queue drain\n"

    found = go(tmp_path, {"common/common.go": COMMON, "main.go": THIRD, "Procfile": procfile})

    assert [(unit.name, unit.framework) for unit in found.units] == [("b", "asynq")]


def test_braces_in_strings_and_comments_close_nothing() -> None:
    text = "a := T{\"}\", `}`, '}', /* } */ {}, // }\n} {"

    assert text[closing(text, text.index("{")) :] == " {"


def test_a_list_says_what_stands_in_it_and_not_what_is_in_that() -> None:
    text = "Commands: []*cli.Command{one, two.Two(), {Name: three, Flags: []F{four}}, &five},"

    (found,) = listings(text)

    assert {"one", "Two", "five"} <= set(found.names)
    assert not {"three", "four"} & set(found.names)


def test_a_command_that_gives_others_work_does_none(tmp_path: Path) -> None:
    readme = "```\n./x enqueue 5\n./x work-queue\n```\n"

    found = go(tmp_path, {"main.go": ASYNQ, "README.md": readme})

    assert commands(found) == ["./x work-queue"]


SCHEDULES = """\
package cli

import (
	"github.com/hibiken/asynq"
	"github.com/spf13/cobra"
)

var scheduleCmd = &cobra.Command{
	Use: "schedule",
	RunE: func(cmd *cobra.Command, args []string) error {
		return asynq.NewScheduler(asynq.RedisClientOpt{}, nil).Run()
	},
}
"""
SHOWS = SCHEDULES.replace("schedule", "entries").replace("NewScheduler", "NewInspector")
ROOT = """\
package cli

import "github.com/spf13/cobra"

var root = &cobra.Command{Use: "x"}

func Execute() {
	root.AddCommand(workerCmd, scheduleCmd, entriesCmd)
	root.Execute()
}
"""
WORKS = SCHEDULES.replace("schedule", "worker").replace(
    "asynq.NewScheduler(asynq.RedisClientOpt{}, nil).Run()",
    "asynq.NewServer(asynq.RedisClientOpt{}, asynq.Config{}).Run(nil)",
)
MAIN = 'package main\n\nimport "example.com/x/cli"\n\nfunc main() { cli.Execute() }\n'
CLI = {
    "main.go": MAIN,
    "cli/root.go": ROOT,
    "cli/worker.go": WORKS,
    "cli/schedule.go": SCHEDULES,
    "cli/entries.go": SHOWS,
}


@pytest.mark.parametrize(
    "written", [{}, {"Procfile": "jobs: ./x worker\nclock: ./x schedule\nweb: ./x entries\n"}]
)
def test_what_only_adds_jobs_is_a_scheduler(tmp_path: Path, written: dict[str, str]) -> None:
    found = go(tmp_path, CLI | written)

    scheduler, worker = sorted(found.units, key=lambda unit: unit.role)
    assert (worker.role, " ".join(worker.command)) == ("worker", "./x worker")
    assert (scheduler.role, " ".join(scheduler.command)) == ("scheduler", "./x schedule")
    assert len(found.units) == 2
    assert any(each.path == "cli/worker.go" for each in worker.evidence[:2])
    assert any(each.path == "cli/schedule.go" for each in scheduler.evidence[:2])


def test_a_worker_that_schedules_as_well_is_one_process(tmp_path: Path) -> None:
    both = WORKS.replace(
        "return ", "go asynq.NewScheduler(asynq.RedisClientOpt{}, nil).Run()\n\t\treturn "
    )
    root = ROOT.replace(", scheduleCmd, entriesCmd", "")
    found = go(tmp_path, {"main.go": MAIN, "cli/root.go": root, "cli/worker.go": both})

    assert [(unit.role, " ".join(unit.command)) for unit in found.units] == [
        ("worker", "./x worker")
    ]


def test_a_worker_and_its_scheduler_are_one_image(tmp_path: Path) -> None:
    make = "BIN := bin/x\nworker:\n\t@$(BIN) worker\n"
    plan = make_plan(go(tmp_path, CLI | {"Makefile": make}))

    assert [image.binary for image in plan.images] == ["."]
    assert {each.command[1] for each in plan.services} == {"worker", "schedule"}
