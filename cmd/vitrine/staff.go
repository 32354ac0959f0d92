package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/configs"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/store/sqldb"
)

// staffFlags are what the commands about staff are told.
type staffFlags struct {
	data, store, role, login, email, name string
	passwordStdin                         bool
}

func (p *program) staffCommand() *cobra.Command {
	var f staffFlags
	cmd := &cobra.Command{
		Use: "staff", Short: "Let people work in a store, without the API",
		Long: `Let people work in a store, without the API. The commands work on the database, whether the server runs or not, and
what they do is in the audit log. They print an invitation with which the person sets a password (POST
/api/v1/invitations), or set the one that they read with --password-stdin.`,
	}
	cmd.PersistentFlags().StringVar(&f.data, "data", "", "folder of everything durable (data)")
	cmd.PersistentFlags().BoolVar(&f.passwordStdin, "password-stdin", false, "read the person's password from the standard input instead of printing an invitation")
	add := &cobra.Command{
		Use: "add", Short: "Let a person work in a store", Args: cobra.NoArgs,
		Example: `  vitrine staff add --login mei                      an owner of the default store
  vitrine staff add --email lan@example.com --role operator --store store_0123456789abcdef`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withPeople(cmd, &f, func(ctx context.Context, s *staffDesk) error { return s.add(ctx, &f) })
		},
	}
	add.Flags().StringVar(&f.store, "store", account.DefaultStore, "the store's id")
	add.Flags().StringVar(&f.role, "role", string(account.Owner), "owner, operator, anchor or assistant")
	add.Flags().StringVar(&f.login, "login", "", "name to sign in with")
	add.Flags().StringVar(&f.email, "email", "", "e-mail address to sign in with; nothing is sent to it")
	add.Flags().StringVar(&f.name, "name", "", "name as colleagues see it")
	cmd.AddCommand(add, &cobra.Command{
		Use: "reset-password NAME", Short: "Make a new invitation for a person, by login name or e-mail address", Args: cobra.ExactArgs(1),
		Example: "  vitrine staff reset-password mei",
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withPeople(cmd, &f, func(ctx context.Context, s *staffDesk) error { return s.reset(ctx, args[0], &f) })
		},
	})
	return cmd
}

// staffDesk is where the operator of the server looks after people.
type staffDesk struct {
	people *account.People
	audit  *account.Audit
	stdin  io.Reader
	stdout io.Writer
}

// withPeople opens the database for a command.
func (p *program) withPeople(cmd *cobra.Command, f *staffFlags, work func(context.Context, *staffDesk) error) (err error) {
	c, err := p.config(func(c *configs.Config) {
		if cmd.Flags().Changed("data") {
			c.Data = f.data
		}
	})
	if err != nil {
		return err
	}
	file := filepath.Join(c.Data, "vitrine.db")
	if _, err := os.Stat(file); c.Database.URL == "" && errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no database in %s: start the server once, or name its folder with --data", c.Data)
	}
	db, err := openDatabase(cmd.Context(), c.Database, file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return work(cmd.Context(), p.desk(cmd, c, db))
}

func (p *program) desk(cmd *cobra.Command, c configs.Config, db *sqldb.DB) *staffDesk {
	return &staffDesk{
		people: account.NewPeople(staffConfig(c.Staff), db, nil), audit: account.NewAudit(db, newLogger(p.stderr, c.Log), nil),
		stdin: cmd.InOrStdin(), stdout: p.stdout,
	}
}

// operator is whoever may run commands on the server: there the admin token lies too.
func operator(storeID string) account.Principal {
	p := account.Principal{ID: "cli", Name: "cli", Admin: true, StoreID: storeID}
	if u, err := user.Current(); err == nil {
		p.Name = u.Username
	}
	return p
}

func (s *staffDesk) add(ctx context.Context, f *staffFlags) error {
	by := operator(f.store)
	return s.audited(ctx, by, "staff add", []string{f.store}, func() error {
		m, inv, err := s.people.AddStaff(ctx, by, f.store, account.Staff{Login: f.login, Email: f.email, Name: f.name}, account.Role(f.role))
		if err != nil {
			return err
		}
		if inv == nil {
			_, err = fmt.Fprintf(s.stdout, "%s works in %s now, as %s, with the password that there is.\n", m.Name, f.store, m.Role)
			return err
		}
		return s.hand(ctx, m.Name, inv, f)
	})
}

func (s *staffDesk) reset(ctx context.Context, name string, f *staffFlags) error {
	staff, stores, err := s.people.Named(ctx, name)
	if err != nil {
		return err
	}
	return s.audited(ctx, operator(""), "staff reset-password", stores, func() error {
		inv, err := s.people.Invite(ctx, operator(stores[0]), stores[0], staff.ID)
		if err != nil {
			return err
		}
		return s.hand(ctx, staff.Name, &inv, f)
	})
}

// audited does work between its entry in the audit log of each store and the outcome.
func (s *staffDesk) audited(ctx context.Context, by account.Principal, command string, stores []string, work func() error) error {
	finish, err := s.audit.Begin(ctx, account.Entry{
		Who: by.ID, Name: by.Name, Remote: "cli", Operation: command, Permission: account.StaffWrite,
	}, stores...)
	if err != nil {
		return err
	}
	err = work()
	status := 200
	if err != nil {
		status = 422
	}
	finish(context.WithoutCancel(ctx), status, nil)
	return err
}

// hand gives an invitation to the person, or uses it with the password from the standard input.
func (s *staffDesk) hand(ctx context.Context, name string, inv *account.Invitation, f *staffFlags) error {
	if !f.passwordStdin {
		_, err := fmt.Fprintf(s.stdout, "Invitation for %s: %s\nGood once, until %s. The person sets a password with it: POST /api/v1/invitations {\"token\": ..., \"password\": ...}\n",
			name, inv.Token, inv.ExpiresAt.Format(time.RFC3339))
		return err
	}
	b, err := io.ReadAll(io.LimitReader(s.stdin, 4096))
	if err != nil {
		return err
	}
	alone := func(account.Staff, []string) (func(error), error) { return func(error) {}, nil } // the command is written down
	if _, err := s.people.AcceptInvitation(ctx, inv.Token, strings.TrimRight(string(b), "\r\n"), alone); err != nil {
		if message := errs.MessageOf(err); message != "" {
			return fmt.Errorf("%s; the person is there, without a new password: use reset-password", message)
		}
		return err
	}
	_, err = fmt.Fprintf(s.stdout, "%s can sign in now.\n", name)
	return err
}
