"""The sub-commands of Go's programs that stand below others: the whole path to the worker."""

from __future__ import annotations

from pathlib import Path

import pytest

from stoker.sidecar.detect.source.go_lists import closing, listings
from tests.sidecar.detect.test_programs import commands, go

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
