package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/overlay"
)

// Member is a person who works in a store.
type Member struct {
	Person
	Role         string  `json:"role" enum:"owner,operator,anchor,assistant"`
	Since        string  `json:"since"`
	PasswordSet  bool    `json:"password_set" doc:"Until it is, the person cannot sign in."`
	InvitedUntil *string `json:"invited_until,omitempty" doc:"When the open invitation ends."`
}

// Invitation lets a person set the password, once.
type Invitation struct {
	Token     string `json:"token" doc:"Shown this once: send it to the person, who gives it to POST /api/v1/invitations."`
	ExpiresAt string `json:"expires_at"`
}

// Invited is a person with an invitation, if one is needed.
type Invited struct {
	Member
	Invitation *Invitation `json:"invitation,omitempty" doc:"Absent for somebody who has a password already: from another store of the same merchant."`
}

// MemberPath names a person in a store.
type MemberPath struct {
	StorePath
	Member string `path:"member" doc:"The person's id."`
}

type memberInput struct {
	StorePath
	Body struct {
		Name  string `json:"name,omitempty" maxLength:"80" doc:"Default: what the person signs in with."`
		Login string `json:"login,omitempty" maxLength:"40" doc:"To sign in with: 3 to 40 of a-z, 0-9, '.', '_', '-'. This or email."`
		Email string `json:"email,omitempty" maxLength:"254" doc:"To sign in with. Nothing is sent to it."`
		Role  string `json:"role" enum:"owner,operator,anchor,assistant"`
	}
}

type roleInput struct {
	MemberPath
	Body struct {
		Role string `json:"role" enum:"owner,operator,anchor,assistant"`
	}
}

type invitedOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         Invited
}

type invitationOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         Invitation
}

func (s *Server) staffOperations() {
	tags, may := []string{"Staff"}, staff(account.StaffWrite)
	const all, one = "/api/v1/stores/{store}/staff", "/api/v1/stores/{store}/staff/{member}"
	operation(s, huma.Operation{OperationID: "add-staff", Method: http.MethodPost, Path: all, Tags: tags, Security: may, Summary: "Let a person work in a store", Description: "A new person gets an invitation with which to set a password. A person of another store of the same merchant, named by the same login name or e-mail address, keeps theirs.", DefaultStatus: http.StatusCreated}, s.addStaff)
	operation(s, huma.Operation{OperationID: "list-staff", Method: http.MethodGet, Path: all, Tags: tags, Security: may, Summary: "List who works in a store"},
		func(ctx context.Context, in *struct {
			StorePath
			PageInput
		},
		) (*Body[Page[Member]], error) {
			ms, err := s.People.Members(ctx, in.Store, in.After, in.limit())
			return page(ms, in.limit(), member, func(m account.Member) string { return m.ID }), err
		})
	operation(s, huma.Operation{OperationID: "set-role", Method: http.MethodPatch, Path: one, Tags: tags, Security: may, Summary: "Give a person another role"}, s.setRole)
	operation(s, huma.Operation{OperationID: "remove-staff", Method: http.MethodDelete, Path: one, Tags: tags, Security: may, Summary: "End a person's work in a store", Description: "From the next request on.", DefaultStatus: http.StatusNoContent}, s.removeStaff)
	operation(s, huma.Operation{OperationID: "invite-staff", Method: http.MethodPost, Path: one + "/invitation", Tags: tags, Security: may, Summary: "Make a new invitation", Description: "For who has lost the first, or forgotten the password. The one before is worthless; the password stays until the invitation is used.", DefaultStatus: http.StatusCreated}, s.inviteStaff)
}

func (s *Server) addStaff(ctx context.Context, in *memberInput) (*invitedOutput, error) {
	b := in.Body
	m, inv, err := s.People.AddStaff(ctx, principal(ctx), in.Store, account.Staff{Name: b.Name, Login: b.Login, Email: b.Email}, account.Role(b.Role))
	if err != nil {
		return nil, err
	}
	noteChange(ctx, "member", nil, m.ID)
	noteChange(ctx, "role", nil, m.Role)
	out := Invited{Member: member(m)}
	if inv != nil {
		out.Invitation = &Invitation{inv.Token, overlay.FormatWall(inv.ExpiresAt)}
	}
	return &invitedOutput{"no-store", out}, nil
}

func (s *Server) setRole(ctx context.Context, in *roleInput) (*Body[Member], error) {
	m, was, err := s.People.SetRole(ctx, principal(ctx), in.Store, in.Member, account.Role(in.Body.Role))
	if err != nil {
		return nil, err
	}
	noteChange(ctx, "role", was, m.Role)
	return &Body[Member]{member(m)}, nil
}

func (s *Server) removeStaff(ctx context.Context, in *MemberPath) (*Empty, error) {
	m, err := s.People.RemoveStaff(ctx, principal(ctx), in.Store, in.Member)
	if err != nil {
		return nil, err
	}
	noteChange(ctx, "name", m.Name, nil)
	noteChange(ctx, "role", m.Role, nil)
	return &Empty{}, nil
}

func (s *Server) inviteStaff(ctx context.Context, in *MemberPath) (*invitationOutput, error) {
	inv, err := s.People.Invite(ctx, principal(ctx), in.Store, in.Member)
	if err != nil {
		return nil, err
	}
	return &invitationOutput{"no-store", Invitation{inv.Token, overlay.FormatWall(inv.ExpiresAt)}}, nil
}

func member(m account.Member) Member {
	return Member{
		Person: person(m.Staff), Role: string(m.Role), Since: overlay.FormatWall(m.Since), PasswordSet: m.PasswordHash != "",
		InvitedUntil: optionalTime(m.InvitedUntil),
	}
}
