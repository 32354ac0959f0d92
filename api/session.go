package api

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/internal/clientaddr"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/overlay"
)

// Session is who is signed in, and what they may.
type Session struct {
	ID        string      `json:"id" example:"sess_0123456789abcdef"`
	Staff     Person      `json:"staff"`
	Stores    []Workplace `json:"stores" doc:"Where the person works."`
	ExpiresAt string      `json:"expires_at" doc:"Moves on with each use."`
}

// Person is a person who works for a merchant.
type Person struct {
	ID    string `json:"id" example:"staff_0123456789abcdef"`
	Name  string `json:"name"`
	Login string `json:"login" doc:"May be empty."`
	Email string `json:"email" doc:"May be empty."`
}

// Workplace is a store with what somebody may do there.
type Workplace struct {
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	Role        string   `json:"role" enum:"owner,operator,anchor,assistant"`
	Permissions []string `json:"permissions"`
}

// Browser is where a person is signed in.
type Browser struct {
	ID        string `json:"id"`
	Current   bool   `json:"current" doc:"This is the one that asks."`
	Remote    string `json:"remote" doc:"The address from which it was begun."`
	Agent     string `json:"agent" doc:"What the browser calls itself."`
	CreatedAt string `json:"created_at"`
	UsedAt    string `json:"used_at" doc:"To the minute."`
	ExpiresAt string `json:"expires_at"`
}

// SessionPath names a session in an address.
type SessionPath struct {
	Session string `path:"session" doc:"The session's id."`
}

// ClientInput learns where a request comes from.
type ClientInput struct{ r *http.Request }

// Resolve implements huma.Resolver.
func (i *ClientInput) Resolve(ctx huma.Context) []error {
	i.r, _ = humago.Unwrap(ctx)
	return nil
}

func (i *ClientInput) https() bool { return secure(i.r) }

func (s *Server) client(i *ClientInput) account.Client {
	addr := s.ClientAddr(i.r)
	return account.Client{Addr: addr, Network: clientaddr.Network(addr), Agent: i.r.UserAgent()}
}

type sessionOutput struct {
	SetCookie    http.Cookie `header:"Set-Cookie"`
	CacheControl string      `header:"Cache-Control"`
	Body         Session
}

type signedOut struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
}

type signInInput struct {
	ClientInput
	Body struct {
		Name     string `json:"name" minLength:"1" maxLength:"254" doc:"Login name or e-mail address."`
		Password string `json:"password" minLength:"1" maxLength:"512"`
	}
}

type passwordInput struct {
	ClientInput
	Body struct {
		Current string `json:"current" minLength:"1" maxLength:"512"`
		New     string `json:"new" minLength:"1" maxLength:"512" doc:"10 to 128 characters; none of the commonest."`
	}
}

type invitationInput struct {
	ClientInput
	Body struct {
		Token    string `json:"token" minLength:"1" maxLength:"100" doc:"Of the invitation (inv_...)."`
		Password string `json:"password" minLength:"1" maxLength:"512" doc:"10 to 128 characters; none of the commonest."`
	}
}

func (s *Server) sessionOperations() {
	tags := []string{"Staff"}
	operation(s, huma.Operation{OperationID: "sign-in", Method: http.MethodPost, Path: "/api/v1/session", Tags: tags, Security: public, Middlewares: huma.Middlewares{s.ownPageOrProgram}, Summary: "Sign in", Description: "Sets the session cookie. After some failures of a name, or from a network, sign-ins are refused for some minutes (429).", DefaultStatus: http.StatusCreated}, s.signIn)
	operation(s, huma.Operation{OperationID: "get-session", Method: http.MethodGet, Path: "/api/v1/session", Tags: tags, Security: signedIn, Summary: "Read who is signed in"},
		func(ctx context.Context, _ *Empty) (*Body[Session], error) {
			out, err := s.session(ctx, ownSession(ctx))
			return &Body[Session]{out}, err
		})
	operation(s, huma.Operation{OperationID: "sign-out", Method: http.MethodDelete, Path: "/api/v1/session", Tags: tags, Security: signedIn, Summary: "Sign out", DefaultStatus: http.StatusNoContent}, s.signOut)
	operation(s, huma.Operation{OperationID: "list-sessions", Method: http.MethodGet, Path: "/api/v1/sessions", Tags: tags, Security: signedIn, Summary: "List where I am signed in"}, s.listSessions)
	operation(s, huma.Operation{OperationID: "end-session", Method: http.MethodDelete, Path: "/api/v1/sessions/{session}", Tags: tags, Security: signedIn, Summary: "Sign out elsewhere", DefaultStatus: http.StatusNoContent},
		func(ctx context.Context, in *SessionPath) (*Empty, error) {
			return &Empty{}, s.People.EndSession(ctx, principal(ctx).ID, in.Session)
		})
	operation(s, huma.Operation{OperationID: "change-password", Method: http.MethodPost, Path: "/api/v1/password", Tags: tags, Security: signedIn, Summary: "Change my password", Description: "Ends all my sessions and begins a new one here."}, s.changePassword)
	operation(s, huma.Operation{OperationID: "accept-invitation", Method: http.MethodPost, Path: "/api/v1/invitations", Tags: tags, Security: public, Middlewares: huma.Middlewares{s.ownPageOrProgram}, Summary: "Set my password with an invitation", Description: "An invitation is good once. All sessions of the person end."}, s.acceptInvitation)
}

func (s *Server) signIn(ctx context.Context, in *signInInput) (*sessionOutput, error) {
	signed, token, err := s.People.SignIn(ctx, in.Body.Name, in.Body.Password, s.client(&in.ClientInput))
	if err != nil {
		return nil, err
	}
	return s.withSession(ctx, &signed, token, in.https())
}

func (s *Server) changePassword(ctx context.Context, in *passwordInput) (*sessionOutput, error) {
	signed, token, err := s.People.ChangePassword(ctx, principal(ctx).ID, in.Body.Current, in.Body.New, s.client(&in.ClientInput))
	if err != nil {
		return nil, err
	}
	return s.withSession(ctx, &signed, token, in.https())
}

func (s *Server) withSession(ctx context.Context, in *account.SignedIn, token string, https bool) (*sessionOutput, error) {
	body, err := s.session(ctx, in)
	if err != nil {
		return nil, err
	}
	return &sessionOutput{SetCookie: cookie(https, staffCookie, token, in.CreatedAt.Add(s.People.SessionMax())), CacheControl: "no-store", Body: body}, nil
}

func (s *Server) signOut(ctx context.Context, in *ClientInput) (*signedOut, error) {
	me := ownSession(ctx)
	if err := s.People.EndSession(ctx, me.Staff.ID, me.ID); err != nil && errs.KindOf(err) != errs.NotFound {
		return nil, err
	}
	return &signedOut{cookie(in.https(), staffCookie, "", time.Unix(0, 0))}, nil
}

func (s *Server) listSessions(ctx context.Context, _ *Empty) (*Body[Page[Browser]], error) {
	me := ownSession(ctx)
	all, err := s.People.Sessions(ctx, me.Staff.ID)
	if err != nil {
		return nil, err
	}
	return page(all, 0, func(b account.Session) Browser {
		return Browser{
			ID: b.ID, Current: b.ID == me.ID, Remote: b.Remote, Agent: b.Agent, CreatedAt: overlay.FormatWall(b.CreatedAt),
			UsedAt: overlay.FormatWall(b.UsedAt), ExpiresAt: overlay.FormatWall(b.ExpiresAt),
		}
	}, nil), nil
}

// acceptInvitation is written down by itself: the operation is public, what it changes is not.
func (s *Server) acceptInvitation(ctx context.Context, in *invitationInput) (*Body[Person], error) {
	staff, err := s.People.AcceptInvitation(ctx, in.Body.Token, in.Body.Password, func(staff account.Staff, stores []string) (func(error), error) {
		e := account.Entry{Who: staff.ID, Name: staff.Name, Remote: s.ClientAddr(in.r).String(), Operation: "accept-invitation"}
		finish, err := s.Audit.Begin(ctx, e, stores...)
		return func(err error) { finish(context.WithoutCancel(ctx), outcomeOf(err), nil) }, err
	})
	return &Body[Person]{person(staff)}, err
}

func outcomeOf(err error) int {
	if err == nil {
		return http.StatusOK
	}
	return statuses[errs.KindOf(err)]
}

// session renders who is signed in.
func (s *Server) session(ctx context.Context, in *account.SignedIn) (Session, error) {
	out := Session{ID: in.ID, Staff: person(in.Staff), Stores: []Workplace{}, ExpiresAt: overlay.FormatWall(in.ExpiresAt)}
	for _, id := range slices.Sorted(maps.Keys(in.Roles)) {
		store, err := s.People.Store(ctx, id)
		if err != nil {
			return Session{}, err
		}
		role := in.Roles[id]
		out.Stores = append(out.Stores, Workplace{ID: id, Name: store.Name, Role: string(role), Permissions: words(role.Permissions())})
	}
	return out, nil
}

// ownSession is the session of an operation for those who are signed in.
func ownSession(ctx context.Context) *account.SignedIn {
	who, ok := ctx.Value(callerKey{}).(*caller)
	if !ok || who.session == nil {
		return &account.SignedIn{}
	}
	return who.session
}

func person(s account.Staff) Person {
	return Person{ID: s.ID, Name: s.Name, Login: s.Login, Email: s.Email}
}

func words[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, w := range list {
		out[i] = string(w)
	}
	return out
}
