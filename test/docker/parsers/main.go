// Checks docker/ offline with the parsers that Docker itself uses: BuildKit's for Dockerfiles with its own
// lint rules, compose-go for compose files.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

func dockerfile(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	parsed, err := parser.Parse(bytes.NewReader(text))
	if err != nil {
		return err
	}
	var findings []string
	lint := linter.New(&linter.Config{Warn: func(rule, description, _, message string, _ []parser.Range) {
		findings = append(findings, rule+": "+message)
	}})
	if _, _, err := instructions.Parse(parsed.AST, lint); err != nil {
		return err
	}
	for _, warning := range parsed.Warnings {
		findings = append(findings, warning.Short)
	}
	if len(findings) > 0 {
		return fmt.Errorf("%v", findings)
	}
	return nil
}

// Several files, separated by commas, are merged.
func compose(path string) error {
	paths := strings.Split(path, ",")
	options, err := cli.NewProjectOptions(paths, cli.WithWorkingDirectory(filepath.Dir(paths[0])), cli.WithOsEnv)
	if err != nil {
		return err
	}
	project, err := options.LoadProject(context.Background())
	if err != nil {
		return err
	}
	out, err := project.MarshalJSON()
	if err != nil {
		return err
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, out); err != nil {
		return err
	}
	fmt.Println(compact.String())
	return nil
}

func main() {
	check := map[string]func(string) error{"dockerfile": dockerfile, "compose": compose}[os.Args[1]]
	if err := check(os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
