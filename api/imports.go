package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/live"
	"github.com/vitrine-live/vitrine/overlay"
)

// Import is the making of a replay out of a finished show elsewhere, as the API shows it.
type Import struct {
	ID         string  `json:"id" example:"import_0123456789abcdef"`
	RoomID     string  `json:"room_id"`
	Title      string  `json:"title"`
	State      string  `json:"state" enum:"running,done,failed,cancelled"`
	Reason     string  `json:"reason,omitempty" doc:"Why it failed and what to do."`
	DurationMS int64   `json:"duration_ms" doc:"What the origin says that the show lasts; 0 until that is known."`
	ImportedMS int64   `json:"imported_ms" doc:"How much of it is here."`
	ShowID     string  `json:"show_id,omitempty" doc:"The show with its replay, once the import is done."`
	CreatedAt  string  `json:"created_at"`
	EndedAt    *string `json:"ended_at,omitempty"`
}

// ImportPath names an import in an address.
type ImportPath struct {
	Import string `path:"import" doc:"The import's id."`
}

// ImportList is the imports of a room.
type ImportList struct {
	Items []Import `json:"items"`
}

type importInput struct {
	RoomPath
	Body struct {
		URL   string `json:"url" minLength:"1" maxLength:"2048" doc:"Address of the HLS playlist (.m3u8) of a finished show: fMP4 or MPEG-TS, not encrypted." example:"https://example.com/replay/show_1/index.m3u8"`
		Title string `json:"title,omitempty" maxLength:"120" doc:"Default: the room's title."`
	}
}

// importAnswer tells where the import can be asked about.
type importAnswer struct {
	Location string `header:"Location"`
	Body     Import
}

func (s *Server) importOperations() {
	operation(s, huma.Operation{OperationID: "create-import", Security: staff(account.RoomsWrite), Method: http.MethodPost, Path: "/api/v1/rooms/{room}/imports", Tags: []string{"Shows"}, Summary: "Import a finished show", Description: "The show at an HLS address becomes an ended show of the room, with a replay and a poster. The answer does not wait for it: ask for the import until its state is done. An import that fails, is cancelled, or is interrupted by a restart leaves nothing.", DefaultStatus: http.StatusAccepted},
		func(ctx context.Context, in *importInput) (*importAnswer, error) {
			im, err := s.Imports.Start(ctx, in.Room, in.Body.URL, in.Body.Title)
			if err != nil {
				return nil, err
			}
			return &importAnswer{Location: "/api/v1/imports/" + im.ID, Body: importOf(im)}, nil
		})
	operation(s, huma.Operation{OperationID: "list-imports", Security: staff(account.RoomsRead), Method: http.MethodGet, Path: "/api/v1/rooms/{room}/imports", Tags: []string{"Shows"}, Summary: "List a room's imports, newest first", Description: "Those that are running, and those that ended since the server was started."},
		func(ctx context.Context, in *RoomPath) (*Body[ImportList], error) {
			if _, err := s.Rooms.Store.Room(ctx, in.Room); err != nil {
				return nil, err
			}
			out := ImportList{Items: []Import{}}
			for _, im := range s.Imports.List(in.Room) {
				out.Items = append(out.Items, importOf(im))
			}
			return &Body[ImportList]{out}, nil
		})
	operation(s, huma.Operation{OperationID: "get-import", Security: staff(account.RoomsRead), Method: http.MethodGet, Path: "/api/v1/imports/{import}", Tags: []string{"Shows"}, Summary: "Read how far an import is"},
		func(_ context.Context, in *ImportPath) (*Body[Import], error) {
			im, err := s.Imports.Import(in.Import)
			if err != nil {
				return nil, err
			}
			return &Body[Import]{importOf(im)}, nil
		})
	operation(s, huma.Operation{OperationID: "cancel-import", Security: staff(account.RoomsWrite), Method: http.MethodDelete, Path: "/api/v1/imports/{import}", Tags: []string{"Shows"}, Summary: "Cancel an import", Description: "What there is of it is removed.", DefaultStatus: http.StatusNoContent},
		func(_ context.Context, in *ImportPath) (*Empty, error) {
			return &Empty{}, s.Imports.Cancel(in.Import)
		})
}

func importOf(im live.Import) Import {
	return Import{
		ID: im.ID, RoomID: im.RoomID, Title: im.Title, State: string(im.State), Reason: im.Reason, DurationMS: im.Expected.Milliseconds(),
		ImportedMS: im.Imported.Milliseconds(), ShowID: im.ShowID, CreatedAt: overlay.FormatWall(im.CreatedAt), EndedAt: optionalTime(im.EndedAt),
	}
}
