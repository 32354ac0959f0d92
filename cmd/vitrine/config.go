package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vitrine-live/vitrine/configs"
)

func (p *program) configCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "Check or show the configuration"}
	cmd.AddCommand(
		&cobra.Command{
			Use: "check", Short: "Check the file and the environment", Args: cobra.NoArgs,
			Example: "  vitrine config check -c /etc/vitrine.yaml",
			RunE: func(*cobra.Command, []string) error {
				if _, err := p.config(); err != nil {
					return err
				}
				_, err := fmt.Fprintln(p.stdout, "The configuration is good.")
				return err
			},
		},
		p.configShowCommand(),
	)
	return cmd
}

func (p *program) configShowCommand() *cobra.Command {
	var effective bool
	cmd := &cobra.Command{
		Use: "show", Short: "Print every key, with its documentation and default", Args: cobra.NoArgs,
		Example: `  vitrine config show > vitrine.yaml          a file to begin with
  vitrine config show --effective -c my.yaml  what holds after file and environment`,
		RunE: func(*cobra.Command, []string) error {
			out := configs.Documented
			if effective {
				c, err := p.config()
				if err != nil {
					return err
				}
				if out, err = c.YAML(); err != nil {
					return err
				}
			}
			_, err := p.stdout.Write(out)
			return err
		},
	}
	cmd.Flags().BoolVar(&effective, "effective", false, "print the values that hold after file and environment instead")
	return cmd
}

// config loads and checks the configuration of the file and the environment, then lets changes (of flags) win.
func (p *program) config(changes ...func(*configs.Config)) (configs.Config, error) {
	path := p.configPath
	for _, pair := range p.env {
		if v, ok := strings.CutPrefix(pair, configs.EnvPrefix+"CONFIG="); ok && path == "" {
			path = v
		}
	}
	c, err := configs.Load(path, p.env)
	if err != nil {
		return configs.Config{}, err
	}
	for _, change := range changes {
		change(&c)
	}
	if err := c.Validate(); err != nil {
		return configs.Config{}, fmt.Errorf("the configuration cannot work:\n%w", err)
	}
	return c, nil
}
