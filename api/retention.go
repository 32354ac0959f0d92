package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/replay/retention"
)

// RetentionDeps are what says how long recordings are kept.
type RetentionDeps struct {
	Retention *retention.Service
}

// Retention is how long a store keeps its recordings.
type Retention struct {
	Days          *int    `json:"days" doc:"After the end of a show; 0: for ever; null: as long as the server's default."`
	DefaultDays   int     `json:"default_days" doc:"What null means here; 0: for ever."`
	EffectiveDays int     `json:"effective_days" doc:"What holds; 0: for ever."`
	HoldsFrom     *string `json:"holds_from,omitempty" doc:"From when on recordings go by it: a day after the change, so that a slip can be taken back."`
}

func (s *Server) retentionOperations() {
	tags := []string{"Stores"}
	operation(s, huma.Operation{OperationID: "get-retention", Method: http.MethodGet, Path: "/api/v1/stores/{store}/retention", Tags: tags, Security: staff(account.RoomsRead), Summary: "Read how long a store keeps its recordings"},
		func(ctx context.Context, in *StorePath) (*Body[Retention], error) {
			p, err := s.Retention.Policy(ctx, in.Store)
			return &Body[Retention]{s.retentionOf(p)}, err
		})
	operation(s, huma.Operation{OperationID: "set-retention", Method: http.MethodPut, Path: "/api/v1/stores/{store}/retention", Tags: tags, Security: staff(account.StoreWrite), Summary: "Say how long a store keeps its recordings", Description: "Recordings that are older are deleted for good, with every copy of them. Clips that are files of their own stay."},
		func(ctx context.Context, in *struct {
			StorePath
			Body struct {
				Days *int `json:"days" nullable:"true" minimum:"0" maximum:"36500" doc:"0: for ever; null: as long as the server's default."`
			}
		},
		) (*Body[Retention], error) {
			before, err := s.Retention.Policy(ctx, in.Store)
			if err != nil {
				return nil, err
			}
			p, err := s.Retention.Set(ctx, in.Store, in.Body.Days)
			if err != nil {
				return nil, err
			}
			noteChange(ctx, "retention", before.Days, p.Days)
			return &Body[Retention]{s.retentionOf(p)}, nil
		})
}

func (s *Server) retentionOf(p retention.Policy) Retention {
	out := Retention{Days: p.Days, DefaultDays: s.Retention.Default(), EffectiveDays: s.Retention.Default()}
	if p.Days != nil {
		out.EffectiveDays = *p.Days
	}
	if !p.ChangedAt.IsZero() {
		out.HoldsFrom = new(retention.HoldsFrom(p).UTC().Format(time.RFC3339))
	}
	return out
}
