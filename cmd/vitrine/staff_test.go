package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/store/sqldb/sqldbtest"
)

func TestStaffCommands(t *testing.T) {
	folder := t.TempDir()
	vitrine := func(stdin string, args ...string) (string, error) {
		var out bytes.Buffer
		root := (&program{stdout: &out, stderr: &out}).staffCommand()
		root.SetArgs(append(args, "--data", folder))
		root.SetIn(strings.NewReader(stdin))
		root.SetOut(&out)
		root.SetErr(&out)
		err := root.ExecuteContext(t.Context())
		return out.String(), err
	}
	if _, err := vitrine("", "add", "--login", "mei"); err == nil || !strings.Contains(err.Error(), "start the server once") {
		t.Errorf("without a database: %v", err)
	}
	db := sqldbtest.OpenAt(t, filepath.Join(folder, "vitrine.db")) // as a running server has it
	defer db.Close()
	if out, err := vitrine("", "add", "--login", "mei"); err != nil || !strings.Contains(out, "inv_") {
		t.Fatalf("%v: %s", err, out)
	}
	if out, err := vitrine("", "add", "--login", "lan", "--role", "boss"); err == nil {
		t.Errorf("a role that there is not: %s", out)
	}
	if out, err := vitrine("password123\n", "reset-password", "mei", "--password-stdin"); err == nil {
		t.Errorf("a common password: %s", out)
	}
	if out, err := vitrine("otter lamp rises late\n", "reset-password", "MEI", "--password-stdin"); err != nil || !strings.Contains(out, "can sign in") {
		t.Fatalf("%v: %s", err, out)
	}
	people := account.NewPeople(account.Config{}, db, nil)
	in, _, err := people.SignIn(t.Context(), "mei", "otter lamp rises late", account.Client{})
	if err != nil || in.Roles[account.DefaultStore] != account.Owner {
		t.Errorf("%+v, %v", in, err)
	}
	es, err := db.AuditEntries(t.Context(), account.EntryFilter{StoreID: account.DefaultStore, Who: "cli"}, "", 10)
	if err != nil || len(es) != 4 || es[3].Operation != "staff add" || es[3].Remote != "cli" || es[2].Outcome.Status != 422 {
		t.Errorf("%+v, %v", es, err)
	}
}
