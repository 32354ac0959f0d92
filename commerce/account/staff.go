package account

import (
	"net/mail"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// Staff is a person who works for a merchant, in one or more of its stores. Login and e-mail are unique on the server; a
// person has at least one of them.
type Staff struct {
	ID         string // "staff_…"
	MerchantID string
	Login      string // 3 to 40 of a-z 0-9 . _ -; may be empty
	Email      string // in lower case; may be empty
	Name       string // as colleagues see it
	CreatedAt  time.Time
	// PasswordHash is the password as it is kept; empty until the person has set one.
	PasswordHash string
}

// Member is a person in one store.
type Member struct {
	Staff
	StoreID string
	Role    Role
	Since   time.Time
	// InvitedUntil is when the open invitation ends; zero when there is none.
	InvitedUntil time.Time
}

// Invitation lets a person set the password, once.
type Invitation struct {
	Token     string // "inv_…", shown once
	ExpiresAt time.Time
}

var loginName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{2,39}$`)

const (
	maxName  = 80  // characters
	maxEmail = 254 // bytes
)

// check brings what a new person is called into form, or names the field that cannot be.
func (s *Staff) check(op string) error {
	s.Login, s.Email = strings.ToLower(strings.TrimSpace(s.Login)), strings.ToLower(strings.TrimSpace(s.Email))
	switch {
	case s.Login == "" && s.Email == "":
		return errs.Field(op, "login", "a login name or an e-mail address is needed to sign in with")
	case s.Login != "" && !loginName.MatchString(s.Login):
		return errs.Field(op, "login", "must have 3 to 40 of the characters a-z, 0-9, '.', '_' and '-'")
	case s.Email != "" && !validEmail(s.Email):
		return errs.Field(op, "email", "must be an e-mail address")
	}
	if strings.TrimSpace(s.Name) == "" {
		s.Name = s.signInName()
	}
	var err error
	s.Name, err = title(op, "name", s.Name)
	return err
}

// signInName is what the person is known by when nothing better is known.
func (s *Staff) signInName() string {
	if s.Login != "" {
		return s.Login
	}
	name, _, _ := strings.Cut(s.Email, "@")
	return name
}

func validEmail(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Address == s && len(s) <= maxEmail
}

// title trims what something is called and refuses what cannot be shown.
func title(op, field, s string) (string, error) {
	s = strings.TrimSpace(s)
	unfit := func(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) && r != zeroWidthJoiner }
	if n := utf8.RuneCountInString(s); n == 0 || n > maxName || strings.ContainsFunc(s, unfit) {
		return "", errs.Field(op, field, "must have 1 to %d printable characters", maxName)
	}
	return s, nil
}
