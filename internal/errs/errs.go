// Package errs is the one error vocabulary of Vitrine: a closed set of kinds that every surface maps to its own
// status (see package api for HTTP), the operation that failed, and a message fit for the person who asked.
package errs

import (
	"errors"
	"fmt"
)

// Kind says what sort of failure an error is. The set is closed: a surface maps each kind exactly once.
type Kind uint8

// The kinds. Internal is the zero value, so that an unclassified error never tells an outsider anything.
const (
	Internal     Kind = iota // a defect or an unexpected failure of a part; details belong in the log
	Invalid                  // the request is malformed or breaks a rule; the message says how to mend it
	NotFound                 // the thing named does not exist, or not for this caller
	Conflict                 // the request is sound but the present state forbids it
	Unauthorized             // who is asking is not known
	Forbidden                // who is asking is known and may not
	Exhausted                // a limit is reached; trying again later may help
	Unavailable              // a part that is needed does not answer for now
)

// Kinds lists every kind, for tests that prove a mapping exhaustive.
var Kinds = []Kind{Internal, Invalid, NotFound, Conflict, Unauthorized, Forbidden, Exhausted, Unavailable}

// String names the kind as logs and metrics do.
func (k Kind) String() string {
	switch k {
	case Internal:
		return "internal"
	case Invalid:
		return "invalid"
	case NotFound:
		return "not_found"
	case Conflict:
		return "conflict"
	case Unauthorized:
		return "unauthorized"
	case Forbidden:
		return "forbidden"
	case Exhausted:
		return "exhausted"
	case Unavailable:
		return "unavailable"
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// Error is a classified failure.
type Error struct {
	Kind    Kind
	Op      string // where it failed, as "package.Operation"
	Message string // for the person who asked: what is wrong and what to do about it
	Field   string // the offending field of the request, if there is one
	Err     error  // the cause, if there is one; for the log only
}

// Error renders the failure for a log line.
func (e *Error) Error() string {
	s := e.Op
	if e.Message != "" {
		if s != "" {
			s += ": "
		}
		s += e.Message
	}
	if e.Err != nil {
		if s != "" {
			s += ": "
		}
		s += e.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// New makes an error of a kind with a message for the person who asked.
func New(kind Kind, op, format string, args ...any) error {
	return &Error{Kind: kind, Op: op, Message: fmt.Sprintf(format, args...)}
}

// Field makes an Invalid error about one field of the request.
func Field(op, field, format string, args ...any) error {
	return &Error{Kind: Invalid, Op: op, Field: field, Message: fmt.Sprintf(format, args...)}
}

// Wrap adds the operation to err and keeps its kind; nil stays nil.
func Wrap(op string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Kind: KindOf(err), Op: op, Err: err}
}

// As classifies err, which comes from outside Vitrine, and adds a message; nil stays nil.
func As(kind Kind, op string, err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return &Error{Kind: kind, Op: op, Message: fmt.Sprintf(format, args...), Err: err}
}

// KindOf returns the kind of the outermost Error in err's chain that has one other than Internal, else Internal.
func KindOf(err error) Kind {
	for err != nil {
		var e *Error
		if !errors.As(err, &e) {
			return Internal
		}
		if e.Kind != Internal {
			return e.Kind
		}
		err = e.Err
	}
	return Internal
}

// MessageOf returns the outermost message meant for the person who asked, or "" when there is none.
func MessageOf(err error) string {
	for err != nil {
		var e *Error
		if !errors.As(err, &e) {
			return ""
		}
		if e.Message != "" {
			return e.Message
		}
		err = e.Err
	}
	return ""
}

// FieldOf returns the offending field named in err's chain, or "".
func FieldOf(err error) string {
	for err != nil {
		var e *Error
		if !errors.As(err, &e) {
			return ""
		}
		if e.Field != "" {
			return e.Field
		}
		err = e.Err
	}
	return ""
}
