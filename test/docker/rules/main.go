// Checks a Prometheus rule file with Prometheus' own parsers, as `promtool check rules` does, and prints what the
// rules look at.
package main

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
)

type rule struct {
	Alert       string            `json:"alert"`
	For         string            `json:"for"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	Metrics     []string          `json:"metrics"`
}

func read(path string) ([]rule, error) {
	promql := parser.NewParser(parser.Options{})
	groups, errs := rulefmt.ParseFile(path, false, model.UTF8Validation, promql, slog.Default())
	if len(errs) > 0 {
		return nil, fmt.Errorf("%v", errs)
	}
	rules := []rule{}
	for _, group := range groups.Groups {
		for _, one := range group.Rules {
			expression, err := promql.ParseExpr(one.Expr)
			if err != nil {
				return nil, err
			}
			found := rule{one.Alert, one.For.String(), one.Labels, one.Annotations, []string{}}
			parser.Inspect(expression, func(node parser.Node, _ []parser.Node) error {
				if selector, ok := node.(*parser.VectorSelector); ok {
					found.Metrics = append(found.Metrics, selector.Name)
				}
				return nil
			})
			rules = append(rules, found)
		}
	}
	return rules, nil
}

func main() {
	rules, err := read(os.Args[1])
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(rules)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
