package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/vitrine-live/vitrine/configs"
	"github.com/vitrine-live/vitrine/store/backup"
	"github.com/vitrine-live/vitrine/store/sqldb"
)

const databaseFile = "vitrine.db"

func (p *program) backupCommand() *cobra.Command {
	var noRecordings bool
	cmd := &cobra.Command{
		Use: "backup FOLDER", Short: "Copy everything durable into a new folder, also while the server runs", Args: cobra.ExactArgs(1),
		Long: `Copies the database and the data folder (images, certificates, the admin token, recordings) into a folder that must not
exist yet, with the size and the checksum of every file. It holds secrets: keep it as safe as the server itself.

With PostgreSQL the database is taken by pg_dump, which must be installed here in the server's version or a later one.`,
		Example: `  vitrine backup /mnt/backup/$(date +%F)
  vitrine backup -c /etc/vitrine.yaml --no-recordings /mnt/backup/small`,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := p.config()
			if err != nil {
				return err
			}
			return p.backup(cmd.Context(), c, args[0], noRecordings)
		},
	}
	cmd.Flags().BoolVar(&noRecordings, "no-recordings", false, "leave the recordings out: replays of the past are then not in it")
	return cmd
}

func (p *program) backup(ctx context.Context, c configs.Config, dest string, noRecordings bool) error {
	s := backup.Source{Data: c.Data, Version: version, Dump: databaseFile, Skip: func(path string) bool {
		return path == "lock" || path == databaseFile || strings.HasPrefix(path, databaseFile+"-") || noRecordings && path == "recordings"
	}}
	s.Database = func(ctx context.Context, into string) error {
		return sqldb.Copy(ctx, filepath.Join(c.Data, databaseFile), into)
	}
	if c.Database.URL != "" {
		s.Dump, s.Database = "vitrine.pgdump", func(ctx context.Context, into string) error {
			return postgresTool(ctx, c.Database.URL, "pg_dump", "--format=custom", "--no-owner", "--no-privileges", "--file="+into)
		}
	}
	m, err := backup.Make(ctx, s, dest)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "%s holds %d files, %.1f MiB.\n", dest, len(m.Files), float64(m.Size())/(1<<20))
	for _, name := range m.Missing {
		fmt.Fprintf(p.stdout, "%s was deleted meanwhile and is not in it.\n", name)
	}
	return nil
}

func (p *program) restoreCommand() *cobra.Command {
	var data string
	cmd := &cobra.Command{
		Use: "restore FOLDER", Short: "Make a new data folder of a backup", Args: cobra.ExactArgs(1),
		Long: `Checks every file of a backup and makes the data folder of it. Nothing is overwritten: the data folder must not exist or be
empty, and a PostgreSQL database must hold no tables. Nothing is left behind by a restore that fails.`,
		Example: `  vitrine restore /mnt/backup/2026-05-01 --data ./data`,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := p.config(func(c *configs.Config) {
				if data != "" {
					c.Data = data
				}
			})
			if err != nil {
				return err
			}
			return p.restore(cmd.Context(), c, args[0])
		},
	}
	cmd.Flags().StringVar(&data, "data", "", "the data folder to make (data)")
	return cmd
}

func (p *program) restore(ctx context.Context, c configs.Config, from string) error {
	m, err := backup.Restore(ctx, from, c.Data, func(ctx context.Context, dump, newData string) error {
		m, err := backup.Read(from)
		if err != nil {
			return err
		}
		if m.Database == databaseFile {
			return restoreSQLite(ctx, c, dump, filepath.Join(newData, databaseFile))
		}
		return restorePostgres(ctx, c, dump)
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "%s is as it was at %s: %d files, %.1f MiB.\n", c.Data, m.MadeAt.Format("2006-01-02 15:04:05 MST"), len(m.Files), float64(m.Size())/(1<<20))
	return nil
}

func restoreSQLite(ctx context.Context, c configs.Config, dump, into string) error {
	if c.Database.URL != "" {
		return errors.New("the backup was made with SQLite and database.url names PostgreSQL: restore it without database.url")
	}
	if err := os.Rename(dump, into); err != nil {
		return err
	}
	return sqldb.Check(ctx, into)
}

func restorePostgres(ctx context.Context, c configs.Config, dump string) error {
	if c.Database.URL == "" {
		return errors.New("the backup was made with PostgreSQL: set database.url to an empty database")
	}
	if err := mustBeEmpty(ctx, c.Database.URL); err != nil {
		return err
	}
	return postgresTool(ctx, c.Database.URL, "pg_restore", "--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", dump)
}

func mustBeEmpty(ctx context.Context, url configs.SecretURL) error {
	conn, err := pgx.Connect(ctx, string(url))
	if err != nil {
		return errors.New("the database that database.url names does not answer (`vitrine doctor` looks closer)")
	}
	defer conn.Close(ctx) //nolint:errcheck // nothing was written
	var tables int
	err = conn.QueryRow(ctx, "SELECT COUNT(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')").Scan(&tables)
	if err == nil && tables > 0 {
		err = errors.New("the database that database.url names holds tables: nothing is ever overwritten, name an empty one")
	}
	return err
}

// postgresTool runs a program of PostgreSQL on the database. The password goes by the environment, which others cannot see.
func postgresTool(ctx context.Context, url configs.SecretURL, name string, args ...string) error {
	path, err := exec.LookPath(name)
	if err != nil {
		found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
		if len(found) == 0 {
			return fmt.Errorf("%s is not installed (Debian: apt-get install postgresql-client); or use what your provider of PostgreSQL offers, beside a copy of the data folder", name)
		}
		path = found[len(found)-1]
	}
	c, err := pgx.ParseConfig(string(url))
	if err != nil {
		return errors.New("database.url cannot be read")
	}
	cmd := exec.CommandContext(ctx, path, args...)
	if name == "pg_restore" {
		cmd.Args = append(cmd.Args[:len(cmd.Args)-1], "--dbname="+c.Database, args[len(args)-1])
	}
	cmd.Env = append(os.Environ(), "PGHOST="+c.Host, fmt.Sprintf("PGPORT=%d", c.Port), "PGUSER="+c.User, "PGPASSWORD="+c.Password, "PGDATABASE="+c.Database)
	if c.TLSConfig != nil {
		cmd.Env = append(cmd.Env, "PGSSLMODE=require")
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, out)
	}
	return nil
}
