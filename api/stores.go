package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/live"
	"github.com/vitrine-live/vitrine/overlay"
)

// Merchant is who owns stores, as the API shows it.
type Merchant struct {
	ID        string `json:"id" example:"merchant_0123456789abcdef"`
	Name      string `json:"name"`
	CreatedAt string `json:"created_at"`
}

// Shop is a store as the API shows it.
type Shop struct {
	ID         string `json:"id" example:"store_0123456789abcdef"`
	MerchantID string `json:"merchant_id"`
	Name       string `json:"name"`
	Currency   string `json:"currency" doc:"ISO 4217."`
	CreatedAt  string `json:"created_at"`
}

// ViewerSecret signs the viewer tokens that a store mints.
type ViewerSecret struct {
	Secret            string  `json:"secret" doc:"For HS256. It is shown this once."`
	PreviousExpiresAt *string `json:"previous_expires_at" doc:"Until when tokens signed with the one before are taken; null: no more."`
}

// MerchantPath names a merchant in an address.
type MerchantPath struct {
	Merchant string `path:"merchant" doc:"The merchant's id."`
}

type newShop struct {
	Name     string `json:"name" minLength:"1" maxLength:"80"`
	Currency string `json:"currency" pattern:"^[A-Z]{3}$" patternDescription:"ISO 4217, such as CNY"`
}

type shopUpdate struct {
	StorePath
	Body struct {
		Name     *string `json:"name,omitempty" minLength:"1" maxLength:"80"`
		Currency *string `json:"currency,omitempty" pattern:"^[A-Z]{3}$" doc:"For what is made from now on; prices that there are stay as they are."`
	}
}

type secretRotation struct {
	StorePath
	Body struct {
		KeepPreviousHours *int `json:"keep_previous_hours,omitempty" minimum:"0" maximum:"720" doc:"How long tokens signed with the one before are taken still. Default 24."`
	}
}

func (s *Server) storeOperations() {
	tags := []string{"Stores"}
	operation(s, huma.Operation{OperationID: "create-merchant", Method: http.MethodPost, Path: "/api/v1/merchants", Tags: tags, Summary: "Create a merchant", DefaultStatus: http.StatusCreated},
		func(ctx context.Context, in *struct {
			Body struct {
				Name string `json:"name" minLength:"1" maxLength:"80"`
			}
		},
		) (*Body[Merchant], error) {
			m, err := s.People.CreateMerchant(ctx, in.Body.Name)
			if err != nil {
				return nil, err
			}
			noteChange(ctx, "merchant", nil, m.ID)
			return &Body[Merchant]{merchantOf(m)}, nil
		})
	operation(s, huma.Operation{OperationID: "list-merchants", Method: http.MethodGet, Path: "/api/v1/merchants", Tags: tags, Summary: "List merchants"},
		func(ctx context.Context, in *PageInput) (*Body[Page[Merchant]], error) {
			ms, err := s.People.Merchants(ctx, in.After, in.limit())
			return page(ms, in.limit(), merchantOf, func(m account.Merchant) string { return m.ID }), err
		})
	operation(s, huma.Operation{OperationID: "create-store", Method: http.MethodPost, Path: "/api/v1/merchants/{merchant}/stores", Tags: tags, Summary: "Create a store of a merchant", Description: "Its first owner is added by POST /api/v1/stores/{store}/staff.", DefaultStatus: http.StatusCreated},
		func(ctx context.Context, in *struct {
			MerchantPath
			Body newShop
		},
		) (*Body[Shop], error) {
			return s.createStore(ctx, in.Merchant, in.Body, "")
		})
	operation(s, huma.Operation{OperationID: "create-sibling-store", Method: http.MethodPost, Path: "/api/v1/stores/{store}/siblings", Tags: tags, Security: staff(account.StoreWrite), Summary: "Create another store of the same merchant", Description: "Whoever creates it is its owner.", DefaultStatus: http.StatusCreated}, s.createSibling)
	operation(s, huma.Operation{OperationID: "list-stores", Method: http.MethodGet, Path: "/api/v1/stores", Tags: tags, Security: anyStaff, Summary: "List the stores in which I work", Description: "The admin sees all."}, s.listStores)
	operation(s, huma.Operation{OperationID: "get-store", Method: http.MethodGet, Path: "/api/v1/stores/{store}", Tags: tags, Security: staff(account.StoreRead), Summary: "Read a store"},
		func(ctx context.Context, in *StorePath) (*Body[Shop], error) {
			store, err := s.People.Store(ctx, in.Store)
			return &Body[Shop]{shop(store)}, err
		})
	operation(s, huma.Operation{OperationID: "update-store", Method: http.MethodPatch, Path: "/api/v1/stores/{store}", Tags: tags, Security: staff(account.StoreWrite), Summary: "Change a store"}, s.updateStore)
	operation(s, huma.Operation{OperationID: "rotate-viewer-secret", Method: http.MethodPost, Path: "/api/v1/stores/{store}/viewer-secret", Tags: tags, Security: staff(account.StoreWrite), Summary: "Make a new secret for viewer tokens", Description: "With it the store's backend signs tokens for its viewers: JWT, HS256, iss the store's id, sub the viewer's id there, exp at most 30 days ahead, name and avatar if they are to be shown.", DefaultStatus: http.StatusCreated}, s.rotateViewerSecret)
	operation(s, huma.Operation{OperationID: "list-store-rooms", Method: http.MethodGet, Path: "/api/v1/stores/{store}/rooms", Tags: []string{"Rooms"}, Security: staff(account.RoomsRead), Summary: "List a store's rooms"}, s.listStoreRooms)
	operation(s, huma.Operation{OperationID: "create-store-room", Method: http.MethodPost, Path: "/api/v1/stores/{store}/rooms", Tags: []string{"Rooms"}, Security: staff(account.RoomsWrite), Summary: "Create a room of a store", DefaultStatus: http.StatusCreated}, s.createStoreRoom)
}

func (s *Server) createStore(ctx context.Context, merchantID string, b newShop, ownerID string) (*Body[Shop], error) {
	store, err := s.People.CreateStore(ctx, merchantID, b.Name, b.Currency, ownerID)
	if err != nil {
		return nil, err
	}
	noteChange(ctx, "store", nil, store.ID)
	return &Body[Shop]{shop(store)}, nil
}

func (s *Server) createSibling(ctx context.Context, in *struct {
	StorePath
	Body newShop
},
) (*Body[Shop], error) {
	by := principal(ctx)
	if !by.Admin && by.Role == "" {
		return nil, errs.New(errs.Forbidden, "api.createSibling", "a program cannot own a store: create it as an owner, signed in")
	}
	store, err := s.People.Store(ctx, in.Store)
	if err != nil {
		return nil, err
	}
	owner := by.ID
	if by.Admin {
		owner = ""
	}
	return s.createStore(ctx, store.MerchantID, in.Body, owner)
}

func (s *Server) listStores(ctx context.Context, in *PageInput) (*Body[Page[Shop]], error) {
	f := account.StoreFilter{StaffID: principal(ctx).ID}
	if principal(ctx).Admin {
		f = account.StoreFilter{}
	}
	stores, err := s.People.Stores(ctx, f, in.After, in.limit())
	return page(stores, in.limit(), shop, func(s account.Store) string { return s.ID }), err
}

func (s *Server) updateStore(ctx context.Context, in *shopUpdate) (*Body[Shop], error) {
	before, after, err := s.People.UpdateStore(ctx, in.Store, account.StoreUpdate{Name: in.Body.Name, Currency: in.Body.Currency})
	if err != nil {
		return nil, err
	}
	noteChange(ctx, "name", before.Name, after.Name)
	noteChange(ctx, "currency", before.Currency, after.Currency)
	return &Body[Shop]{shop(after)}, nil
}

type viewerSecretOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         ViewerSecret
}

func (s *Server) rotateViewerSecret(ctx context.Context, in *secretRotation) (*viewerSecretOutput, error) {
	hours := 24
	if in.Body.KeepPreviousHours != nil {
		hours = *in.Body.KeepPreviousHours
	}
	keep := time.Duration(hours) * time.Hour
	secret, err := s.People.RotateViewerSecret(ctx, in.Store, keep)
	if err != nil {
		return nil, err
	}
	out := ViewerSecret{Secret: secret}
	if hours > 0 {
		out.PreviousExpiresAt = optionalTime(s.Now().Add(keep))
	}
	return &viewerSecretOutput{"no-store", out}, nil
}

func (s *Server) listStoreRooms(ctx context.Context, in *struct {
	StorePath
	PageInput
	HostInput
	LanguageInput
},
) (*Body[Page[Room]], error) {
	rooms, err := s.Store.RoomsOfStore(ctx, in.Store, in.After, in.limit())
	if err != nil {
		return nil, err
	}
	return page(rooms, in.limit(), func(r live.Room) Room { return s.room(r, in.HostInput, in.language()) }, func(r live.Room) string { return r.ID }), nil
}

func (s *Server) createStoreRoom(ctx context.Context, in *struct {
	StorePath
	roomInput
},
) (*Body[RoomWithKey], error) {
	in.Body.StoreID = &in.Store
	return s.createRoom(ctx, &in.roomInput)
}

func merchantOf(m account.Merchant) Merchant {
	return Merchant{ID: m.ID, Name: m.Name, CreatedAt: overlay.FormatWall(m.CreatedAt)}
}

func shop(s account.Store) Shop {
	return Shop{ID: s.ID, MerchantID: s.MerchantID, Name: s.Name, Currency: s.Currency, CreatedAt: overlay.FormatWall(s.CreatedAt)}
}
